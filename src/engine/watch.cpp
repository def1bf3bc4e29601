#include "engine/watch.h"

#include <map>

#include "base/stage_costs.h"

namespace moviechat {

WatchResult watch(Perceiver& perceiver, const WatchOptions& options, const MemorySink& ready,
                  StageCosts& costs) {
  const auto memory = make_memory(
      options.memory, options.whole_film ? options.positions : MemoryPolicy::kUnlimited);
  // A moment needs its memory and the frame on screen then, which do not come together.
  std::map<size_t, MemoryBlocks> cuts;
  std::map<size_t, Block> currents;
  while (const auto seen = perceiver.next()) {
    const auto& [step, perceived] = *seen;
    switch (step.kind) {
      case Step::Kind::sample: {
        const Stopwatch stopwatch(costs, "memory");
        memory->add({step.time, step.end}, perceived);
        continue;
      }
      case Step::Kind::clip_end: {
        const Stopwatch stopwatch(costs, "memory");
        memory->end_clip();
        continue;
      }
      case Step::Kind::cut: {
        const Stopwatch stopwatch(costs, "memory");
        cuts[step.moment] = memory->at({.moment = step.time, .question = {}});
        break;
      }
      case Step::Kind::current:
        currents[step.moment] = {perceived.blocks, step.time, step.end};
        break;
    }
    const auto cut = cuts.find(step.moment);
    const auto current = currents.find(step.moment);
    if (cut == cuts.end() || current == currents.end()) continue;
    cut->second.current = current->second;
    ready(step.moment, view_of(cut->second, options.positions));
    cuts.erase(cut);
    currents.erase(current);
  }
  WatchResult result{std::ssize(memory->long_term()), std::ssize(memory->short_term())};
  if (options.whole_film) {
    const MemoryView view = [&] {
      const Stopwatch stopwatch(costs, "memory");
      return view_of(memory->at({}), options.positions);
    }();
    result.blocks_long = view.long_blocks;
    ready(std::nullopt, view);
  }
  return result;
}

}  // namespace moviechat
