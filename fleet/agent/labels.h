// Labels as profefe's API writes them: `key=value,key=value`, where keys and
// values are escaped once more than the query that they are part of.
#ifndef WALLPROF_FLEET_AGENT_LABELS_H_
#define WALLPROF_FLEET_AGENT_LABELS_H_

#include <string>
#include <string_view>

#include "wallprof/agent.h"

namespace wallprof::agent {

// For a part of a query: everything but letters, digits and -_.~ as %XX.
std::string Escape(std::string_view text);

// The reverse; '+' is a space. A '%' that begins no escape stands for itself.
std::string Unescape(std::string_view text);

// Not yet escaped for the query.
std::string FormatLabels(const AgentLabels& labels);

// The reverse. As the collector does, leaves out pairs without a key.
AgentLabels ParseLabels(std::string_view text);

// Whether one of them is called `key`.
bool HasLabel(const AgentLabels& labels, std::string_view key);

// `labels` without those whose value is empty, which are there to say that they
// are not wanted.
AgentLabels WithoutEmpty(const AgentLabels& labels);

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_LABELS_H_
