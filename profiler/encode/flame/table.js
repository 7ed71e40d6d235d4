// Makes the table of functions answer: a heading sorts, a row is searched for
// in the flame graph.
(function () {
  'use strict';
  var body = document.querySelector('table.functions tbody');
  var svg = document.querySelector('svg.flame');

  function cell(row, column) {
    var data = row.cells[column];
    return data.dataset.value === undefined
        ? data.textContent : Number(data.dataset.value);
  }

  // Largest magnitudes first, names from A on.
  function order(a, b) {
    if (typeof a === 'string') return a < b ? -1 : a > b ? 1 : 0;
    return Math.abs(b) - Math.abs(a);
  }

  document.querySelectorAll('table.functions th').forEach(function (head) {
    head.addEventListener('click', function () {
      Array.from(body.rows).sort(function (a, b) {
        return order(cell(a, head.cellIndex), cell(b, head.cellIndex));
      }).forEach(function (row) { body.appendChild(row); });
    });
  });

  body.addEventListener('click', function (event) {
    var row = event.target.closest('tr');
    var name = row.cells[row.cells.length - 1].textContent;
    var literal = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    svg.dispatchEvent(new CustomEvent('wallprof-search',
                                      {detail: '^' + literal + '$'}));
  });
}());
