#include "http/pages/index_page.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "http/response.h"

namespace wallprof::http {

namespace {

constexpr absl::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wallprof</title>
<style>
:root { color-scheme: light dark; --line: #8884; --dim: #777; --box: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem;
       margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 2.2rem 0 .5rem; }
p { margin: .3rem 0; }
.dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--line); padding: .45rem .8rem .45rem 0;
     vertical-align: top; }
td:first-child { white-space: nowrap; }
code, pre { font: 14px/1.5 ui-monospace, monospace; }
pre { background: var(--box); border: 1px solid var(--line);
      border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; }
@media (max-width: 40rem) { td { display: block; padding: .3rem 0; }
  td + td { border-top: 0; padding-bottom: .7rem; }
  td:first-child { white-space: normal; } }
</style>
</head>
<body>
)";

constexpr absl::string_view kIndexBody = R"(<h1>wallprof</h1>
<p class="dim">Where every thread's time goes, running or blocked. Version @VERSION@.</p>

<h2>Measure</h2>
<table>
<tr><td><a href="?seconds=10"><code>/?seconds=10</code></a></td>
<td>Folded stacks of the next ten seconds, in microseconds</td></tr>
<tr><td><a href="debug/pprof/wall?seconds=10"><code>/debug/pprof/wall?seconds=10</code></a></td>
<td>Wall profile for <code>pprof</code>; also at <code>/debug/fgprof</code></td></tr>
<tr><td><a href="debug/pprof/profile?seconds=10"><code>/debug/pprof/profile?seconds=10</code></a></td>
<td>CPU profile for <code>pprof</code></td></tr>
</table>

<h2>Look</h2>
<table>
<tr><td><a href="diff?seconds=5&amp;before=cpu&amp;after=wall&amp;format=svg"><code>/diff</code></a></td>
<td>The next <code>seconds</code> in two views, <code>before</code> and <code>after</code>; or, with <code>view</code>, two such windows, one after the other</td></tr>
<tr><td><a href="debug/profiles?profile=5s"><code>/debug/profiles?profile=5s</code></a></td>
<td>A bundle of the next five seconds: profiles, threads, variables (<a href="debug/vars"><code>/debug/vars</code></a>), heap, and where they came from</td></tr>
<tr><td><a href="threads"><code>/threads</code></a></td>
<td>Every thread now: state, what it waits for, stack (<a href="threads?format=json">JSON</a>)</td></tr>
<tr><td><a href="recording"><code>/recording</code></a></td>
<td>What is recorded of the last day, if it is (<a href="recording?format=json">JSON</a>)</td></tr>
<tr><td><a href="stats"><code>/stats</code></a></td>
<td>What the profiler costs and what it lost (<a href="stats?format=json">JSON</a>)</td></tr>
<tr><td><a href="metrics"><code>/metrics</code></a></td>
<td>The same for Prometheus</td></tr>
<tr><td><a href="debug/pprof/"><code>/debug/pprof/</code></a></td>
<td>What Go's tools expect to find</td></tr>
</table>

<h2>Try</h2>
<pre>curl -s 'http://@BASE@?seconds=10' | flamegraph.pl --countname us &gt; wall.svg
go tool pprof -http : 'http://@BASE@debug/pprof/wall?seconds=10'
go tool pprof -top 'http://@BASE@debug/pprof/profile?seconds=10'
curl -s 'http://@BASE@threads'</pre>

<h2>Parameters of a measurement</h2>
<table>
<tr><td><code>seconds</code></td><td>How long: <code>10</code>, <code>0.5</code></td></tr>
<tr><td><code>from</code>, <code>to</code></td><td>Instead, what was recorded: <code>-10m</code> (s, m, h), RFC 3339 or seconds since 1970; <code>to</code> is now by default</td></tr>
<tr><td><code>view</code></td><td><code>wall</code>, <code>cpu</code>, <code>offcpu</code> or <code>blockedby</code></td></tr>
<tr><td><code>format</code></td><td><code>folded</code>, <code>pprof</code>, <code>speedscope</code>, <code>svg</code>, <code>html</code>, <code>json</code> or <code>chrome</code></td></tr>
<tr><td><code>hz</code></td><td>At least this many looks a second, 1 to 1000</td></tr>
<tr><td><code>slices</code></td><td><code>1</code>: the slices of what was recorded apart, by label; <code>speedscope</code> and <code>chrome</code> have them anyway</td></tr>
<tr><td><code>detail</code></td><td><code>1</code>: which file, socket, lock or thread each sample waits for</td></tr>
<tr><td><code>threads</code></td><td><code>1</code>: the thread's name as the first frame of stacks</td></tr>
</table>
</body>
</html>
)";

constexpr absl::string_view kPprofBody = R"(<h1>/debug/pprof/</h1>
<table>
<tr><td><a href="wall?seconds=10"><code>wall</code></a></td>
<td>Wall-clock time of every thread, running or blocked; <code>seconds</code>, 30 by default</td></tr>
<tr><td><a href="profile?seconds=10"><code>profile</code></a></td>
<td>CPU time; <code>seconds</code>, 30 by default</td></tr>
<tr><td><a href="cmdline"><code>cmdline</code></a></td>
<td>The program's command line, its parts separated by NUL</td></tr>
<tr><td><a href="symbol"><code>symbol</code></a></td>
<td>Names of addresses: <code>?0x1234+0x5678</code>, or the same by POST</td></tr>
</table>
<p><a href="../../">All of wallprof</a></p>
</body>
</html>
)";

HttpResponse Html(std::string body) {
  HttpResponse response = Content(kHtml, std::move(body));
  response.headers["Content-Security-Policy"] =
      "default-src 'none'; style-src 'unsafe-inline'; "
      "frame-ancestors 'none'; base-uri 'none'";
  return response;
}

}  // namespace

HttpResponse IndexPage(const std::string& host,
                       const std::string& mount_point) {
  std::string base =
      absl::StrCat(host.empty() ? "localhost" : host, mount_point, "/");
  return Html(absl::StrCat(
      kHead, absl::StrReplaceAll(kIndexBody, {{"@VERSION@", WALLPROF_VERSION},
                                              {"@BASE@", base}})));
}

HttpResponse PprofIndexPage() { return Html(absl::StrCat(kHead, kPprofBody)); }

}  // namespace wallprof::http
