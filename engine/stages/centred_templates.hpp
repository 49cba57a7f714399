// CentredTemplates: templates as a bank of filters, with what samples and templates have in common
// taken off.
//
// The distance stays the same when the samples and the templates of a channel move together, and a
// common offset is energy that would only cancel. So each channel has one: the mean of all template
// samples on it, as a float, so that most differences from it are exact.
//
// Immutable after construction.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"
#include "engine/stages/template_distance.hpp"

namespace firbank {

/// Throws: Error naming the field, its value and what is allowed.
void check_templates(const TemplateDistanceConfig& config);

struct CentredTemplates {
  /// Of a configuration that has been checked.
  explicit CentredTemplates(const TemplateDistanceConfig& config);

  /// Each channel of each template is a filter: its samples, newest first.
  FilterBank bank() const;
  /// From the places in `used` to one output a template.
  Routing routing() const;

  std::vector<Template> templates;  // channels are places in `used`, samples less the offset
  std::size_t length;
  std::vector<double> energies;   // of each template
  std::vector<std::size_t> used;  // channels of the stream that a template names
  std::vector<double> offsets;    // of those
};

}  // namespace firbank
