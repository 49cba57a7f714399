#include "demos/firbank/bench/environment.hpp"

namespace firbank::program {

nlohmann::ordered_json environment_json() {
  return nlohmann::ordered_json::object();
}

nlohmann::ordered_json program_json() {
  return nlohmann::ordered_json::object();
}

}  // namespace firbank::program
