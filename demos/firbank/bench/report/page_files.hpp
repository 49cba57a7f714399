// The files of the report's page, embedded by the build from the folder page/.
#pragma once

#include <string_view>

namespace firbank::program {

extern const std::string_view kReportHtml;
extern const std::string_view kReportCss;

// What every kind of report is shown with.
extern const std::string_view kWordsJs;
extern const std::string_view kTablesJs;
extern const std::string_view kScalesJs;
extern const std::string_view kPlotJs;

// A kind each; a latency report has two.
extern const std::string_view kLatencyJs;
extern const std::string_view kDistributionJs;
extern const std::string_view kCapacityJs;
extern const std::string_view kThroughputJs;
extern const std::string_view kLoopbackJs;
extern const std::string_view kCompareJs;
extern const std::string_view kDoctorJs;

extern const std::string_view kReportJs;

}  // namespace firbank::program
