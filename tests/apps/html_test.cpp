#include "fjord/apps/density/html.hpp"

#include <doctest/doctest.h>

namespace fjord::apps::density {
namespace {

TEST_CASE("html: what would be markup is escaped") {
  CHECK(html_text("a < b && c > \"d\"") == "a &lt; b &amp;&amp; c &gt; &quot;d&quot;");
}

TEST_CASE("html: base64 of the vectors of RFC 4648, section 10, and of all kinds of bytes") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  // By the program base64.
  CHECK(base64(std::string_view("\xff\xfe\xfd\x00\x10\x83", 6)) == "//79ABCD");
}

}  // namespace
}  // namespace fjord::apps::density
