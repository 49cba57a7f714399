// The page that a monitor shows, embedded by the build from page.html, page.css and page.js.
#pragma once

#include <string_view>

namespace firbank::program {

extern const std::string_view kPageHtml;
extern const std::string_view kPageCss;
extern const std::string_view kPageJs;

}  // namespace firbank::program
