#include "media/films.h"

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "support_for_tests/paths.h"

namespace moviechat::testing {
namespace fs = std::filesystem;
namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

void shell(const std::string& command) {
  const ProgramResult result = run(command);
  if (result.exit_code != 0) {
    throw std::runtime_error("failed: " + command + "\n" + result.err);
  }
}

const std::string kFfmpeg = "ffmpeg -hide_banner -nostdin -v error -y ";
const std::string kX264 = "-c:v libx264 -preset veryfast -threads 2 ";
const std::string kVp8 =
    "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -arnr-maxframes 7 -g 50 -deadline good "
    "-cpu-used 5 -b:v 300k ";
const std::string kVp9 =
    "-c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 16 -g 20 -deadline good -cpu-used 5 -b:v 300k ";

}  // namespace

const fs::path& films_folder() {
  static const TemporaryFolder folder;
  return folder.path();
}

void ffmpeg(const std::string& arguments) { shell(kFfmpeg + arguments); }

const std::vector<FilmKind>& film_kinds() {
  static const std::vector<FilmKind> kinds = {
      {"H264WithBFrames", "a.mp4", "{ff} {src} {x264} -bf 3 -g 12 {out}"},
      {"H264OpenGops", "a.mkv",
       "{ff} {src} {x264} -x264-params open-gop=1:keyint=12:bframes=3:b-adapt=0 {out}"},
      {"H264OpenGopsMp4", "a.mp4",
       "{ff} {src} {x264} -x264-params open-gop=1:keyint=12:bframes=3:b-adapt=0 {out}"},
      {"H264OpenGopsTs", "a.ts",
       "{ff} {src} {x264} -x264-params open-gop=1:keyint=12:bframes=3:b-adapt=0 {out}"},
      {"H264IntraRefresh", "a.mkv",
       "{ff} {src} {x264} -x264-params intra-refresh=1:keyint=12:bframes=0 {out}"},
      {"H264FragmentedMp4", "a.mp4",
       "{ff} {src} {x264} -g 12 -movflags frag_keyframe+empty_moov {out}"},
      {"H264MillisecondTimestamps", "a.mkv", "{ff} {src30} {x264} -g 10 {out}"},
      {"H264ManySeveralSlices", "a.mp4", "{ff} {src} {x264} -slices 4 -g 12 {out}"},
      {"NonZeroStartMkv", "a.mkv", "{ff} {src} {x264} -g 12 -output_ts_offset 5 {out}"},
      {"NonZeroStartTs", "a.ts", "{ff} {src} {x264} -g 12 -output_ts_offset 7.5 {out}"},
      {"NonZeroStartMp4", "a.mp4", "{ff} {src} {x264} -g 12 -output_ts_offset 1.5 {out}"},
      {"NegativeStart", "a.mov",
       "{ff} {src} {x264} -bf 2 -g 12 -avoid_negative_ts disabled -output_ts_offset -0.6 {out}"},
      {"NegativeStartTs", "a.ts",
       "{ff} {src} {x264} -bf 0 -g 12 -avoid_negative_ts disabled -output_ts_offset -0.6 "
       "-muxdelay 0 -muxpreload 0 {out}"},
      {"NegativeCompositionOffsets", "a.mp4",
       "{ff} {src} {x264} -bf 2 -g 12 -movflags negative_cts_offsets {out}"},
      {"EditListStartsInsideAGop", "a.mp4",
       "{ff} {src} {x264} -bf 2 -g 12 {dir}/whole.mp4 && "
       "{ff} -ss 0.7 -i {dir}/whole.mp4 -c copy {out}"},
      {"EditListDelaysTheVideo", "a.mp4",
       "{ff} -itsoffset 0.5 {src} -f lavfi -i sine=duration=2 {x264} -bf 2 -fps_mode vfr -c:a aac "
       "{out}"},
      {"VariableFrameRateMp4", "a.mp4",
       "{ff} {src} -vf \"setpts='if(lt(N,40),N*N/4+N,440+(N-40))'\" -fps_mode vfr -enc_time_base "
       "1:1000 "
       "{x264} -g 12 -bf 2 {out}"},
      {"VariableFrameRateMkv", "a.mkv",
       "{ff} {src} -vf \"select='not(mod(n\\,3))+not(mod(n\\,7))'\" -fps_mode vfr {x264} -g 8 "
       "{out}"},
      {"StartsWithoutAKeyFrameH264", "a.ts",
       "{ff} {src} {x264} -bf 2 -g 20 {dir}/whole.ts && "
       "tail -c +$((188*24+1)) {dir}/whole.ts > {out}"},
      {"StartsWithoutAKeyFrameMpeg2", "a.ts",
       "{ff} {src} -c:v mpeg2video -bf 2 -g 12 {dir}/whole.ts && "
       "tail -c +$((188*40+1)) {dir}/whole.ts > {out}"},
      {"NoDurationInTheHeader", "a.mkv", "{ff} {src} {x264} -g 12 -f matroska - > {out}"},
      {"RawH264", "a.h264", "{ff} {src} {x264} -bf 2 -g 12 -f h264 {out}"},
      {"RawHevc", "a.hevc", "{ff} {src} -c:v libx265 -x265-params log-level=none:keyint=12 {out}"},
      {"SeveralVideoStreams", "a.mkv",
       "{ff} {src} -f lavfi -i testsrc=size=200x160:rate=10:duration=2 -map 0 -map 1 {x264} "
       "-disposition:v:0 0 -disposition:v:1 default {out}",
       1},
      {"CoverPictureBesideVideo", "a.mp4",
       "{ff} -f lavfi -i testsrc=size=400x300:duration=1 -frames:v 1 {dir}/cover.png && "
       "{ff} -i {dir}/cover.png {src} -map 0 -map 1 -c:v:0 copy -disposition:v:0 attached_pic "
       "-c:v:1 libx264 -preset veryfast {out}",
       -1},
      {"Rotated90", "a.mp4",
       "{ff} {src} {x264} {dir}/1.mp4 && {ff} -i {dir}/1.mp4 -c copy -metadata:s:v:0 rotate=90 "
       "{out}"},
      {"Rotated180", "a.mp4",
       "{ff} {src} {x264} {dir}/1.mp4 && {ff} -i {dir}/1.mp4 -c copy -metadata:s:v:0 rotate=180 "
       "{out}"},
      {"Rotated270", "a.mp4",
       "{ff} {src} {x264} {dir}/1.mp4 && {ff} -i {dir}/1.mp4 -c copy -metadata:s:v:0 rotate=270 "
       "{out}"},
      {"RotatedTenBit", "a.mp4",
       "{ff} {src} -c:v libx265 -pix_fmt yuv420p10le -x265-params log-level=none {dir}/1.mp4 && "
       "{ff} -i {dir}/1.mp4 -c copy -metadata:s:v:0 rotate=90 {out}"},
      {"RotatedRgb", "a.mov",
       "{ff} {odd} -c:v png -pix_fmt rgb24 {dir}/1.mov && "
       "{ff} -i {dir}/1.mov -c copy -metadata:s:v:0 rotate=270 {out}"},
      {"Rotated422", "a.mov",
       "{ff} {smooth} -c:v prores_ks -profile:v 2 {dir}/1.mov && "
       "{ff} -i {dir}/1.mov -c copy -metadata:s:v:0 rotate=90 {out}"},
      {"OddSize", "a.mkv", "{ff} {odd} -c:v ffv1 -pix_fmt yuv420p {out}"},
      {"OddSizeVp9", "a.webm",
       "{ff} {odd} -c:v libvpx-vp9 -pix_fmt yuv420p -deadline "
       "realtime -cpu-used 8 {out}"},
      {"OddSizeH264", "a.mp4", "{ff} {odd} {x264} -pix_fmt yuv444p {out}"},
      {"NonSquarePixels", "a.mp4", "{ff} {src} -vf setsar=16/11 {x264} {out}"},
      {"SizeChangesMidStream", "a.ts",
       "{ff} {src} {x264} -g 12 {dir}/1.ts && {ff} {other} {x264} -g 12 -output_ts_offset 2.2 "
       "{dir}/2.ts && cat {dir}/1.ts {dir}/2.ts > {out}"},
      {"PixelFormatChangesMidStream", "a.h264",
       "{ff} {src} {x264} -g 12 -f h264 {dir}/1.h264 && {ff} {src} {x264} -pix_fmt yuv444p -g 12 "
       "-f h264 {dir}/2.h264 && cat {dir}/1.h264 {dir}/2.h264 > {out}"},
      {"TimestampsStartOver", "a.ts",
       "{ff} {src} -c:v mpeg2video -g 12 {dir}/1.ts && cat {dir}/1.ts {dir}/1.ts > {out}", 0,
       false},
      {"InterlacedMpeg2", "a.mpg",
       "{ff} {src} -vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video "
       "-flags +ilme+ildct {out}"},
      {"InterlacedH264", "a.ts",
       "{ff} {src} -vf tinterlace=interleave_top,setfield=tff {x264} -flags +ilme+ildct {out}"},
      {"TenBitH264", "a.mp4", "{ff} {src} {x264} -pix_fmt yuv420p10le {out}"},
      {"TwelveBit422", "a.mkv", "{ff} {src} -c:v ffv1 -pix_fmt yuv422p12le {out}"},
      {"TwelveBitHevc", "a.mp4",
       "{ff} {src} -c:v libx265 -pix_fmt yuv420p12le -x265-params log-level=none {out}"},
      {"FullChroma", "a.mp4", "{ff} {src} {x264} -pix_fmt yuv444p {out}"},
      {"Grey", "a.mkv", "{ff} {src} -c:v ffv1 -pix_fmt gray {out}"},
      {"GreyTenBit", "a.mkv", "{ff} {src} -c:v ffv1 -pix_fmt gray10le {out}"},
      {"AlphaYuv", "a.mkv", "{ff} {alpha} -c:v ffv1 -pix_fmt yuva420p {out}"},
      {"AlphaPng", "a.mov", "{ff} {alpha} -c:v png -pix_fmt rgba {out}"},
      {"AlphaVp9", "a.webm",
       "{ff} {alpha} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuva420p {out}"},
      {"ProResWithAlpha", "a.mov",
       "{ff} {alpha} -c:v prores_ks -profile:v 4444 -pix_fmt "
       "yuva444p10le {out}"},
      {"ProRes", "a.mov", "{ff} {src} -c:v prores_ks -profile:v 2 {out}"},
      {"RgbVp9", "a.webm",
       "{ff} {odd} -c:v libvpx-vp9 -pix_fmt gbrp -deadline realtime -cpu-used 8 {out}"},
      {"RgbH264", "a.mp4", "{ff} {src} -c:v libx264rgb -preset veryfast {out}"},
      {"BottomUpRows", "a.avi", "{ff} {src} -c:v rawvideo -pix_fmt bgr24 {out}"},
      {"PackedChroma", "a.nut", "{ff} {src} -c:v rawvideo -pix_fmt yuyv422 {out}"},
      {"InterleavedChroma", "a.nut", "{ff} {src} -c:v rawvideo -pix_fmt nv12 {out}"},
      {"SmallChroma", "a.nut", "{ff} {src} -c:v rawvideo -pix_fmt yuv410p {out}"},
      {"FlatChroma", "a.nut", "{ff} {src} -c:v rawvideo -pix_fmt yuvj440p {out}"},
      {"SixteenBitRgb", "a.nut", "{ff} {src} -c:v rawvideo -pix_fmt rgb565le {out}"},
      {"BlackAndWhite", "a.nut", "{ff} {src} -c:v rawvideo -pix_fmt monow {out}"},
      {"Bt2020Matrix", "a.mp4",
       "{ff} {src} -vf scale=out_color_matrix=bt2020 {x264} -colorspace bt2020nc {out}"},
      {"Bt709TenBitFullRange", "a.mkv",
       "{ff} {src} -vf scale=out_range=pc:out_color_matrix=bt709 -c:v ffv1 -pix_fmt yuv422p10le "
       "-color_range pc -colorspace bt709 {out}"},
      {"YCgCoMatrix", "a.mp4",
       "{ff} {src} -vf setparams=colorspace=ycgco {x264} -colorspace ycgco {out}"},
      {"Palette", "a.avi", "{ff} {src} -c:v rawvideo -pix_fmt pal8 {out}"},
      {"Gif", "a.gif", "{ff} {src} -r 10 {out}"},
      {"AnimatedPng", "a.apng", "{ff} {src} -frames:v 10 -f apng {out}"},
      {"FullRangeBt601", "a.mp4",
       "{ff} {src} -vf scale=out_range=pc:out_color_matrix=bt601 {x264} -color_range pc "
       "-colorspace smpte170m {out}"},
      {"LimitedRangeBt709", "a.mp4",
       "{ff} {src} -vf scale=out_range=tv:out_color_matrix=bt709 {x264} -color_range tv "
       "-colorspace bt709 -color_trc bt709 -color_primaries bt709 {out}"},
      {"FullRangeMjpeg", "a.avi", "{ff} {src} -c:v mjpeg -pix_fmt yuvj422p -q:v 3 {out}"},
      {"Hdr", "a.mp4",
       "{ff} {src} -vf setparams=color_trc=smpte2084:colorspace=bt2020nc:color_primaries=bt2020 "
       "-c:v libx265 -pix_fmt yuv420p10le -color_trc smpte2084 -colorspace bt2020nc "
       "-color_primaries bt2020 -x265-params log-level=none {out}"},
      {"Hevc", "a.mp4", "{ff} {src} -c:v libx265 -x265-params log-level=none:keyint=12 {out}"},
      {"HevcOpenGops", "a.mkv",
       "{ff} {src} -c:v libx265 -x265-params log-level=none:keyint=12:open-gop=1:bframes=3 {out}"},
      {"Vp8WithHiddenFrames", "a.webm",
       // Only the second of two passes hides frames.
       "{ff} {src} {vp8} -pass 1 -passlogfile {dir}/log -f null - && "
       "{ff} {src} {vp8} -pass 2 -passlogfile {dir}/log {out}"},
      {"Vp9WithHiddenFrames", "a.webm",
       "{ff} {src} {vp9} -pass 1 -passlogfile {dir}/log -f null - && "
       "{ff} {src} {vp9} -pass 2 -passlogfile {dir}/log {out}"},
      {"Av1", "a.mp4", "{ff} {src} -c:v libsvtav1 -preset 12 -g 12 {out}"},
      {"Av1Ivf", "a.ivf", "{ff} {src} -c:v libsvtav1 -preset 12 -g 12 {out}"},
      {"Mpeg4InAvi", "a.avi", "{ff} {src} -c:v mpeg4 -bf 2 -g 12 -q:v 4 {out}"},
      {"Mpeg4PackedInAvi", "a.avi", "{ff} {src} -c:v libxvid -bf 2 -g 12 -q:v 4 {out}"},
      {"H264InAvi", "a.avi", "{ff} {src} {x264} -bf 2 -g 12 {out}"},
      {"Mpeg2Program", "a.mpg", "{ff} {src} -c:v mpeg2video -bf 2 -g 12 {out}"},
      // frames of one slice, of which the last ones have no timestamp of their own
      {"Mpeg2Slice", "a.mpg", "{ff} {src} -threads 1 -c:v mpeg2video -bf 2 -g 12 {out}"},
      {"Mpeg2Transport", "a.ts", "{ff} {src} -c:v mpeg2video -bf 2 -g 12 {out}"},
      {"Mpeg1", "a.mpg", "{ff} {src} -c:v mpeg1video -f mpeg {out}"},
      {"Ffv1", "a.mkv", "{ff} {src} -c:v ffv1 -level 3 -slices 4 {out}"},
      {"Theora", "a.ogv", "{ff} {src} -c:v libtheora -q:v 7 -g 12 {out}"},
      {"Flv", "a.flv", "{ff} {src} -c:v flv -g 12 {out}"},
      {"H264Flv", "a.flv", "{ff} {src} {x264} -g 12 {out}"},
      {"Wmv", "a.wmv", "{ff} {src} -c:v wmv2 -g 12 {out}"},
      {"DnxHr", "a.mxf", "{ff} {hd} -c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p {out}"},
      {"OnePicture", "a.png", "{ff} {src} -frames:v 1 {out}", 0, false},
      {"OneJpeg", "a.jpg", "{ff} {src} -frames:v 1 -pix_fmt yuvj420p {out}", 0, false},
      {"OneFrame", "a.mp4", "{ff} {src} -frames:v 1 {x264} {out}"},
  };
  return kinds;
}

fs::path film(const FilmKind& kind) {
  static std::map<std::string, fs::path> made;
  const auto found = made.find(kind.name);
  if (found != made.end()) return found->second;
  const fs::path folder = films_folder() / kind.name;
  fs::create_directory(folder);
  const fs::path path = folder / kind.file;
  std::string command = kind.command;
  const auto source = [](const std::string& filter) { return "-f lavfi -i " + filter; };
  command = replaced(command, "{ff}", kFfmpeg);
  command = replaced(command, "{x264}", kX264);
  command = replaced(command, "{vp8}", kVp8);
  command = replaced(command, "{vp9}", kVp9);
  command = replaced(command, "{src}", source("testsrc2=size=160x120:rate=25:duration=2"));
  command = replaced(command, "{src30}", source("testsrc2=size=160x120:rate=30:duration=2"));
  command = replaced(command, "{other}", source("testsrc2=size=96x160:rate=25:duration=1"));
  command = replaced(command, "{hd}", source("testsrc2=size=256x128:rate=25:duration=1"));
  command = replaced(command, "{odd}", source("testsrc=size=157x101:rate=25:duration=1"));
  command = replaced(command, "{smooth}",
                     source("testsrc2=size=160x112:rate=25:duration=1,gblur=sigma=3"));
  command = replaced(command, "{alpha}",
                     source("testsrc2=size=160x120:rate=25:duration=1:alpha=128,format=rgba"));
  command = replaced(command, "{out}", path.string());
  command = replaced(command, "{dir}", folder.string());
  shell(command);
  return made[kind.name] = path;
}

fs::path film(const std::string& name) {
  for (const FilmKind& kind : film_kinds()) {
    if (kind.name == name) return film(kind);
  }
  throw std::runtime_error("no kind of film named " + name);
}

Decoded decoded_by_ffmpeg(const fs::path& path, int stream, int64_t size) {
  const std::string file = "'" + path.string() + "'";
  const std::string map = stream < 0 ? "V:0" : "v:" + std::to_string(stream);
  Decoded decoded;
  const ProgramResult probe =
      run("ffprobe -v error -select_streams " + map +
          " -show_entries frame=best_effort_timestamp -of default=nw=1:nk=1 " + file);
  std::istringstream lines(probe.out);
  for (std::string line; std::getline(lines, line);) {
    decoded.pts.push_back(line == "N/A" ? INT64_MIN : std::stoll(line));
  }
  const std::string side = std::to_string(size) + ":" + std::to_string(size);
  const fs::path raw = films_folder() / "reference.rgb";
  const ProgramResult result =
      run("ffmpeg -hide_banner -nostdin -v error -y -i " + file + " -map 0:" + map +
          " -fps_mode passthrough " +
          (size > 0 ? "-vf scale=" + side + ":flags=bilinear,format=rgb24 " : "") +
          "-sws_flags bilinear -pix_fmt rgb24 -f rawvideo '" + raw.string() + "'");
  if (result.exit_code != 0) throw std::runtime_error("ffmpeg cannot decode: " + result.err);
  const std::string bytes = bytes_of(raw);
  const size_t frame = size > 0 ? static_cast<size_t>(size * size * 3)
                                : bytes.size() / std::max<size_t>(decoded.pts.size(), 1);
  for (size_t at = 0; at + frame <= bytes.size(); at += frame) {
    decoded.rgb.emplace_back(bytes.begin() + static_cast<int64_t>(at),
                             bytes.begin() + static_cast<int64_t>(at + frame));
  }
  return decoded;
}

std::string bytes_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

ReaderOptions sized(int64_t size) {
  ReaderOptions options;
  options.size = size;
  return options;
}

void patch(const fs::path& path, const std::string& mark, int64_t offset, const std::string& bytes,
           int occurrence) {
  std::string all = bytes_of(path);
  size_t at = all.find(mark);
  for (int i = 0; i < occurrence && at != std::string::npos; ++i) at = all.find(mark, at + 1);
  if (at == std::string::npos) throw std::runtime_error("no '" + mark + "' in " + path.string());
  all.replace(static_cast<size_t>(static_cast<int64_t>(at) + offset), bytes.size(), bytes);
  write_bytes(path, all);
}

}  // namespace moviechat::testing
