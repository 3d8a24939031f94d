/// docs/flows.md: what the rows of the battery have shown of every type of parts.
#include <cstdlib>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "fjord/flows/types.hpp"
#include "fjord/nn/modules.hpp"
#include "fjord/tests/support/part_battery.hpp"

namespace fjord::test {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "`" : ", `") + name + "`";
  return text;
}

void write_kind(std::ofstream& page, const char* title,
                std::span<const nn::PartType<double>> types) {
  const bool have_inverse = !types.front().inverse.empty();
  const char* header = have_inverse ? "| inverse " : "";
  page << "\n## " << title << "\n\n| type | what it is " << header
       << "| settings | parts | tensors | rows |\n"
       << (have_inverse ? "|---" : "") << "|---|---|---|---|---|---|\n";
  for (const nn::PartType<double>& type : types) {
    const auto found = proved_types().find(std::string(type.name));
    const ProvedType proved = found == proved_types().end() ? ProvedType{} : found->second;
    page << "| `" << type.name << "` | " << type.about << " | ";
    if (have_inverse) page << type.inverse << " | ";
    page << joined(proved.settings) << " | " << joined(proved.children) << " | "
         << joined(proved.tensors) << " | " << proved.rows.size() << " |\n";
  }
}

/// Writes the page when all rows have been proved: at the end of the program.
struct Page {
  // So that what it reads is still there at the end.
  Page() { proved_types(); }

  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  ~Page() {
    const char* file = std::getenv("FJORD_PAGE");
    if (file == nullptr) return;
    std::ofstream page(file);
    page << "# Parts of flows\n\n"
            "Models are trees of these parts (`docs/model-file.md`). This page is made by the "
            "tests: "
            "each row of a table of theirs proves a part\nby its inverse, its log-determinant "
            "against the determinant of the Jacobian, its derivatives by every route, the\n"
            "independence of rows from their company, float against double, and the round trip "
            "through a model file; the last column counts the rows.\nA part with the setting "
            "`given` is conditional if that is not 0: it takes so many numbers that are given of "
            "each row.\nThe inverse of a part is closed, or one of its directions takes a solve: "
            "of a root, a fixed point or a differential equation.\n";
    write_kind(page, "Distributions", flows::distributions<double>());
    write_kind(page, "Bijectors", flows::bijectors<double>());
    write_kind(page, "Transformers", flows::transformers<double>());
    write_kind(page, "Vector fields", flows::vector_fields<double>());
    write_kind(page, "Networks", nn::modules<double>());
  }
};

const Page page;

TEST_CASE("parts: the page says of every map how its inverse is found") {
  for (const auto types : {flows::bijectors<double>(), flows::transformers<double>()})
    for (const nn::PartType<double>& type : types) CHECK_FALSE(type.inverse.empty());
}

}  // namespace
}  // namespace fjord::test
