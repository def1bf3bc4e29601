#pragma once

#include <filesystem>
#include <vector>

#include "eval/evaluate.h"

namespace moviechat::eval {

/// The run folders of all shards of a data set → one folder, byte for byte as a run over the whole
/// data set writes its predictions. InputError when the folders are not of one run, when a shard
/// is there twice, missing or unfinished.
EvalResult merge(const std::vector<std::filesystem::path>& shards, const std::filesystem::path& out,
                 bool moviechat_format);

}  // namespace moviechat::eval
