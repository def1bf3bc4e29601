#include "report/html.h"

#include <openssl/evp.h>

namespace moviechat::judge {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1c1e21; --faint: #6b7078; --line: #d9dce1; --card: #f6f7f9;
  --first: #2f6fd0; --second: #d0762f; --wrong: #b3261e; --right: #1e7d3c; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e7ea; --faint: #9aa0a8; --line: #3a3e45;
  --card: #1f2226; --first: #7fb0ff; --second: #ffb27f; --wrong: #ff8a80; --right: #7fd49a;
  --page: #15171a; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 1080px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; } .wide { overflow-x: auto; }
th, td { padding: .25em .8em .25em 0; text-align: left; vertical-align: top; }
tr { border-bottom: 1px solid var(--line); }
table.numbers td:not(:first-child), table.numbers th:not(:first-child) { text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
th { color: var(--faint); font-weight: 600; }
td, dd, blockquote, figcaption, h3 { overflow-wrap: anywhere; }
.plots { display: flex; flex-wrap: wrap; gap: 1em 3em; }
.plots figure { margin: 0; } .plots figcaption { font-weight: 600; margin: .5em 0; }
.plots td { padding: 0 .7em 0 0; border: 0; white-space: nowrap; font-size: 12px;
  line-height: 15px; vertical-align: middle; }
.plots td:first-child { max-width: 14em; white-space: normal; }
.plots tr { border: 0; } svg { display: block; } svg text { fill: var(--faint); font-size: 11px; }
.axis { stroke: var(--line); } .first { stroke: var(--first); fill: var(--first); }
.second { stroke: var(--second); fill: var(--second); }
.key::before { content: "\25CF\00A0"; } .key.first { color: var(--first); }
.key.second { color: var(--second); margin-left: 1em; }
article { background: var(--card); border-radius: 8px; padding: .7em 1em; margin: .8em 0; }
article h3 { font-size: .85em; color: var(--faint); margin: 0 0 .3em; font-weight: 600; }
article p { margin: .2em 0; } article .q { font-weight: 600; }
.label { color: var(--faint); display: inline-block; min-width: 7.5em; }
.is-wrong { color: var(--wrong); } .is-right { color: var(--right); }
.pictures { display: flex; flex-wrap: wrap; gap: .6em; margin-top: .5em; }
.pictures figure { margin: 0; width: 176px; } .pictures img { display: block; border-radius: 4px; }
.pictures figcaption { font-size: .8em; color: var(--faint); }
)";

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string jpeg_address(const std::string& jpeg) {
  std::string base64(4 * ((jpeg.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                   reinterpret_cast<const unsigned char*>(jpeg.data()),
                                   static_cast<int>(jpeg.size()));
  base64.resize(static_cast<size_t>(size));
  return "data:image/jpeg;base64," + base64;
}

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
         "img-src data:; style-src 'unsafe-inline'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
         escaped(title) + "</title>\n<style>" + std::string(kStyle) +
         "</style>\n</head>\n<body>\n" + body + "</body>\n</html>\n";
}

}  // namespace moviechat::judge
