#include "fjord/apps/common/message.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace fjord::apps {
namespace {

// All programs that solve have --rtol and --atol, and all models come from one that has --rate.
// None has events.
const char* remedy_for(ode::Status status) {
  switch (status) {
    case ode::Status::success:
    case ode::Status::event:
    case ode::Status::event_undefined:
    case ode::Status::stopped: break;
    case ode::Status::max_steps:
    case ode::Status::step_too_small:
    case ode::Status::tolerances_too_fine: return "loosen --rtol and --atol";
    case ode::Status::stiff: return "train the model with a lower --rate, so that it stays smooth";
    case ode::Status::non_finite:
      return "check the data for values far out, or train the model with a lower --rate";
    case ode::Status::not_solved: return "choose another --method";
    case ode::Status::irreversible: return "train with --gradient direct";
  }
  return "";
}

struct Remedy {
  int error;
  const char* read;
  const char* write;
};

constexpr std::array remedies{
    Remedy{EISDIR, "name a file", "name a file"},
    Remedy{ENOTDIR, "check the name", "name another place: a file is where a folder is needed"},
    Remedy{ENOENT, "check the name", "check the name, or make the folder first"},
    Remedy{EACCES, "get the permission to read it", "name a place where you may write"},
    Remedy{EPERM, "get the permission to read it", "name a place where you may write"},
    Remedy{EROFS, "check the name", "name a place where you may write"},
    Remedy{ENOSPC, "check the name", "make room, or name another place"},
    Remedy{EDQUOT, "check the name", "make room, or name another place"},
    Remedy{EFBIG, "check the name", "raise the limit on the size of files, or name another place"}};

// What to do about a failure to read or write; the message ends with the system's reason.
const char* remedy_for(std::string_view message, bool is_read) {
  for (const Remedy& remedy : remedies) {
    if (message.ends_with(std::generic_category().message(remedy.error))) {
      return is_read ? remedy.read : remedy.write;
    }
  }
  return is_read ? "check the name" : "check the name and the free space";
}

// The bytes of the UTF-8 character that the text begins with, or 0 if it begins with none.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = byte(0) < 0x80 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (size == 1) return 1;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) return 0;
  std::uint32_t code = byte(0) & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xd800 && code < 0xe000;
  return code < smallest[size] || code > 0x10ffff || is_surrogate ? 0 : size;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  const auto last = static_cast<unsigned char>(character.back());
  return first < ' ' || first == 0x7f || (first == 0xc2 && last < 0xa0);
}

std::string escaped(char c) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'\\', 'x', digits[byte / 16], digits[byte % 16]};
}

}  // namespace

std::string plain_message(std::string_view what) {
  std::string before;
  std::string after;
  const std::size_t end = what.find("] ");
  if (what.starts_with('[') && end != std::string_view::npos) {
    const std::string_view name = what.substr(1, end - 1);
    what.remove_prefix(end + 2);
    if (name.starts_with("--")) before = std::string(name) + ": ";
    if (name == "read" || name == "write") before = "cannot " + std::string(name) + " ";
    if (name == "read" || name == "write") {
      after = "; " + std::string(remedy_for(what, name == "read"));
    }
  }
  std::string text = before + std::string(what) + after;
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string message_of(const ode::SolveFailure& failure) {
  return failure.outcome() + "; " + remedy_for(failure.report().status);
}

std::string shown(std::string_view text, std::size_t limit) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, std::max(size, std::size_t{1}));
    if (character.size() > limit) return result + "...";
    limit -= character.size();
    text.remove_prefix(character.size());
    if (size > 0 && !is_control(character)) {
      result += character;
    } else {
      for (const char c : character) result += escaped(c);
    }
  }
  return result;
}

template <class T>
std::string number_text(T value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.begin(), text.end(), value).ptr};
}

template std::string number_text(float);
template std::string number_text(double);

}  // namespace fjord::apps
