#include "fjord/apps/density/info.hpp"

#include <array>
#include <cstdio>

#include "fjord/apps/common/message.hpp"
#include "fjord/flows/model_file.hpp"

namespace fjord::apps::density {
namespace {

// Four digits tell what a setting is about; the file has them all.
std::string short_text(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", number);
  return text.data();
}

std::string text_of(const nn::Setting& setting) {
  if (const auto* yes = std::get_if<bool>(&setting)) return *yes ? "yes" : "no";
  if (const auto* number = std::get_if<double>(&setting)) return short_text(*number);
  if (const auto* text = std::get_if<std::string>(&setting)) return shown(*text);
  const auto& numbers = std::get<std::vector<double>>(setting);
  constexpr std::size_t longest = 8;
  if (numbers.size() > longest) return "(" + std::to_string(numbers.size()) + " numbers)";
  std::string list;
  for (const double number : numbers) list += (list.empty() ? "" : ", ") + short_text(number);
  return list;
}

// A line for every part, those inside another one further to the right; equal parts next to each
// other once, with their number, and of a long list its beginning.
std::string tree_of(const nn::Config& config, const std::string& indent, std::size_t count = 1) {
  std::string text = indent + (count > 1 ? std::to_string(count) + " times " : "") + config.type;
  for (const auto& [name, setting] : config.settings) text += "  " + name + " " + text_of(setting);
  text += "\n";
  constexpr int longest = 8;
  for (const nn::Config::Child& child : config.children) {
    int trees = 0;
    for (std::size_t first = 0, next = 0; first < child.parts.size(); first = next) {
      if (trees++ == longest) {
        text += indent + "  and " + std::to_string(child.parts.size() - first) + " more\n";
        break;
      }
      const std::string tree = tree_of(child.parts[first], "");
      while (next < child.parts.size() && tree_of(child.parts[next], "") == tree) ++next;
      text += tree_of(child.parts[first], indent + "  ", next - first);
    }
  }
  return text;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + shown(name);
  return list;
}

bool is_double(const nn::State& state) {
  return !state.tensors.empty() &&
         std::holds_alternative<Tensor<double>>(state.tensors.begin()->second);
}

}  // namespace

std::string info_text(const nn::State& state) {
  const auto model = flows::model_of<double>(state);
  const nn::Description<double> description = model->describe();
  const flows::ColumnNames names = flows::column_names_of(state);
  Index count = 0;
  for (const nn::NamedParameter<double>& p : description.parameters())
    count += p.parameter->value().size();
  std::string text = "columns: " + std::to_string(model->dim());
  if (!names.columns.empty()) text += " (" + list_of(names.columns) + ")";
  text += "\nparameters: " + std::to_string(count) + ", in " +
          (is_double(state) ? "double" : "float") + "\n" + tree_of(description.config(), "");
  return text;
}

void info(const std::string& file) {
  std::fputs(info_text(nn::load_safetensors(file)).c_str(), stdout);
}

}  // namespace fjord::apps::density
