#pragma once

#include <vector>

#include "datasets/data_set.h"
#include "datasets/video_folder.h"
#include "moviechat/engine.h"

namespace moviechat::eval {

/// Relation of the film or features that were found to the film that was annotated.
enum class FilmVersion {
  same,        // as annotated, or nothing says otherwise
  other_rate,  // as long as annotated, but of more or fewer frames a second
  other,       // of another length, or another number of frames
};

/// Length of the annotated film, num_frame / fps; 0: unknown.
Seconds annotated_length(const Film& film);

/// Compares num_frame and fps of an annotation with a video; of features, which are of some of the
/// film's frames, the length alone. What is unknown on either side is not compared.
FilmVersion version_of(const Film& film, const VideoInfo& found, FilmFiles files);

/// Has questions about frames ask about the moments that were annotated: by index in a film that is
/// as annotated, by time, index / fps, in one of another rate and in features. In a film of
/// another length nothing better than the index is known. Another version is told to `warn` in one
/// line with both sides' numbers; with `strict` it is an InputError.
void ask_as_annotated(const Film& film, const VideoInfo& found, FilmFiles files, bool strict,
                      std::vector<Question>& questions, const WarningSink& warn);

}  // namespace moviechat::eval
