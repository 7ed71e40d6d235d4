// Makes a drawn flame graph answer: a click zooms, the box on the right
// searches names. Without it the drawing is whole, and titles are shown.
(function () {
  'use strict';
  var SVG = 'http://www.w3.org/2000/svg';
  var XHTML = 'http://www.w3.org/1999/xhtml';
  // Coordinates are written with two decimals.
  var ROUNDING = 0.011;

  var svg = document.querySelector('svg.flame');
  var left = Number(svg.dataset.left);
  var full = Number(svg.dataset.width);
  var frames = Array.from(svg.querySelectorAll('g.frame'), function (group) {
    var rect = group.querySelector('rect');
    var title = group.querySelector('title').textContent;
    return {
      group: group,
      rect: rect,
      text: group.querySelector('text'),
      name: title.slice(0, title.lastIndexOf('\n')),
      title: title.replace(/\n/g, ': '),
      x: Number(rect.getAttribute('x')),
      y: Number(rect.getAttribute('y')),
      width: Number(rect.getAttribute('width'))
    };
  });

  function label(frame, width) {
    var most = Math.floor((width - 2 * svg.dataset.inset) / svg.dataset.character);
    var characters = Array.from(frame.name);
    if (characters.length <= most) return frame.name;
    return most < 3 ? '' : characters.slice(0, most - 2).join('') + '..';
  }

  function place(frame, x, width) {
    frame.rect.setAttribute('x', x);
    frame.rect.setAttribute('width', width);
    var text = label(frame, width);
    if (!frame.text) {
      if (!text) return;
      frame.text = document.createElementNS(SVG, 'text');
      frame.text.setAttribute('y', frame.y + Number(svg.dataset.drop));
      frame.group.appendChild(frame.text);
    }
    frame.text.setAttribute('x', x + Number(svg.dataset.inset));
    frame.text.textContent = text;
  }

  function zoom(to) {
    var scale = full / to.width;
    frames.forEach(function (frame) {
      var holds = frame.x <= to.x + ROUNDING &&
          frame.x + frame.width >= to.x + to.width - ROUNDING;
      var held = frame.x >= to.x - ROUNDING &&
          frame.x + frame.width <= to.x + to.width + ROUNDING;
      var around = frame.y < to.y && holds;
      var shown = around || (frame.y >= to.y && held);
      frame.group.style.display = shown ? '' : 'none';
      frame.group.classList.toggle('around', around);
      if (around) {
        place(frame, left, full);
      } else if (shown) {
        place(frame, left + (frame.x - to.x) * scale, frame.width * scale);
      }
    });
  }

  // Of everything, without counting a frame within a frame twice: the frames
  // come callers first, from left to right below each.
  function share(found) {
    var counted = 0;
    var end = -1;
    found.forEach(function (frame) {
      if (frame.x + ROUNDING < end) return;
      counted += frame.width;
      end = frame.x + frame.width;
    });
    return (100 * counted / full).toFixed(2) + '%';
  }

  var box = document.createElementNS(XHTML, 'input');
  box.type = 'search';
  box.placeholder = 'search names, a regular expression';
  box.style.cssText = 'width: 250px; font: 12px sans-serif;';
  var holder = document.createElementNS(SVG, 'foreignObject');
  [['x', left + full - 260], ['y', 6], ['width', 260], ['height', 26]]
      .forEach(function (pair) { holder.setAttribute(pair[0], pair[1]); });
  holder.appendChild(box);
  svg.appendChild(holder);
  var matched = document.createElementNS(SVG, 'text');
  matched.setAttribute('class', 'note matched');
  matched.setAttribute('x', left + full - 268);
  matched.setAttribute('y', 22);
  matched.setAttribute('text-anchor', 'end');
  svg.appendChild(matched);

  function search() {
    var pattern = null;
    try {
      pattern = box.value ? new RegExp(box.value, 'i') : null;
      matched.textContent = '';
    } catch (error) {
      matched.textContent = 'no regular expression';
    }
    var found = frames.filter(function (frame) {
      var fits = pattern !== null && pattern.test(frame.name);
      frame.group.classList.toggle('found', fits);
      return fits;
    });
    if (pattern) matched.textContent = share(found) + ' matched';
  }
  box.addEventListener('input', search);

  // For what stands beside the graph in a page.
  svg.addEventListener('wallprof-search', function (event) {
    box.value = event.detail;
    search();
  });

  var pointed = svg.querySelector('.pointed');
  frames.forEach(function (frame) {
    frame.group.addEventListener('click', function () { zoom(frame); });
    frame.group.addEventListener('mouseenter', function () {
      pointed.textContent = frame.title;
    });
  });
  document.addEventListener('keydown', function (event) {
    if (event.key === 'Escape') zoom(frames[0]);
  });
}());
