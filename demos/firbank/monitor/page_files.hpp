// The files of the pages that monitors show, embedded by the build from the folder page/.
#pragma once

#include <string_view>

namespace firbank::program {

inline constexpr std::string_view kHtmlType = "text/html; charset=utf-8";
inline constexpr std::string_view kCssType = "text/css; charset=utf-8";
inline constexpr std::string_view kJsType = "text/javascript; charset=utf-8";

// What all pages share.
extern const std::string_view kPageCss;
extern const std::string_view kPageJs;

// Of a live run.
extern const std::string_view kLiveHtml;
extern const std::string_view kLiveCss;
extern const std::string_view kLiveJs;

// Of a run of `firbank serve`.
extern const std::string_view kServeHtml;
extern const std::string_view kServeCss;
extern const std::string_view kServeJs;
extern const std::string_view kTracesJs;

}  // namespace firbank::program
