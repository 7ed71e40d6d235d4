// The head of the collector's page.
#ifndef WALLPROF_FLEET_COLLECTOR_HOME_STYLE_H_
#define WALLPROF_FLEET_COLLECTOR_HOME_STYLE_H_

namespace wallprof::collector {

inline constexpr char kHomeHead[] = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wallprof collector</title>
<style>
:root { color-scheme: light dark; --line: #8884; --dim: #777; --on: #d4700f; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem;
       margin: 1.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.3rem; margin: 0 0 .8rem; }
a { color: inherit; text-decoration-color: var(--dim); }
nav, .small { display: flex; flex-wrap: wrap; gap: .3rem 1rem;
              margin: .5rem 0; }
nav a { text-decoration: none; border-bottom: 2px solid transparent; }
nav a:hover { border-color: var(--dim); }
a.on { border-color: var(--on); font-weight: 600; }
.small { font-size: .9rem; }
.gap { flex: 1; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end;
       margin: .8rem 0; }
label { display: flex; flex-direction: column; font-size: .8rem;
        color: var(--dim); }
input, button { font: inherit; padding: .25rem .5rem; }
input { min-width: 9rem; }
label:nth-child(3) input { min-width: 18rem; }
.timeline { width: 100%; height: 60px; display: block;
            border-bottom: 1px solid var(--line); }
.timeline rect { fill: var(--dim); }
.timeline a:hover rect { fill: var(--on); }
.ends { display: flex; justify-content: space-between; margin: .2rem 0 1rem;
        color: var(--dim); font-size: .85rem; }
object { display: block; width: 100%; min-height: 12rem; }
table { border-collapse: collapse; width: 100%; margin-top: 1rem; }
th { text-align: left; font-weight: 600; font-size: .85rem;
     color: var(--dim); }
td { border-top: 1px solid var(--line); padding: .3rem 1rem .3rem 0;
     vertical-align: top; }
td:first-child { white-space: nowrap; }
.label { white-space: nowrap; margin-right: .6rem; font-size: .9rem; }
.wrong { color: #c22; }
pre { border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem;
      overflow-x: auto; }
</style>
</head>
<body>
<h1>What the fleet was doing</h1>
)";

}  // namespace wallprof::collector

#endif  // WALLPROF_FLEET_COLLECTOR_HOME_STYLE_H_
