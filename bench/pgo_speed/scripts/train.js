// What mujs is trained with: words, queens, shapes, a memo, a grid.
var scale = Number(scriptArgs[0]);
var seed = 42;

function random(n) {
  seed = (seed * 16807) % 2147483647;
  return seed % n;
}

function words(count) {
  var text = [], counts = {}, order = [], i, j, word;
  for (i = 0; i < count; i++) {
    word = '';
    for (j = 2 + random(6); j > 0; j--)
      word += String.fromCharCode(97 + random(12));
    text.push(word);
  }
  text = text.join(' ').split(' ');
  for (i = 0; i < text.length; i++)
    counts[text[i]] = (counts[text[i]] || 0) + 1;
  for (word in counts) order.push(word);
  order.sort(function (a, b) {
    return counts[b] - counts[a] || (a < b ? -1 : 1);
  });
  return [order[0], counts[order[0]], order.length];
}

function queens(n, row, columns, up, down) {
  var found = 0, column;
  if (row == n) return 1;
  for (column = 0; column < n; column++) {
    if (columns[column] || up[row + column] || down[row - column + n]) continue;
    columns[column] = up[row + column] = down[row - column + n] = true;
    found += queens(n, row + 1, columns, up, down);
    columns[column] = up[row + column] = down[row - column + n] = false;
  }
  return found;
}

function Shape(width, height) {
  this.width = width;
  this.height = height;
}
Shape.prototype.area = function () { return this.width * this.height; };
function Circle(radius) { this.radius = radius; }
Circle.prototype = new Shape(0, 0);
Circle.prototype.area = function () {
  return 3.125 * this.radius * this.radius;
};

function shapes(count) {
  var all = [], sum = 0, i;
  for (i = 0; i < count; i++)
    all.push(random(2) ? new Shape(random(9), random(9)) : new Circle(random(9)));
  for (i = 0; i < count; i++) sum += all[i].area();
  return sum;
}

function steps(limit) {
  var known = {1: 0}, best = 0, n, at, path;
  for (n = 2; n <= limit; n++) {
    path = [];
    for (at = n; known[at] === undefined; at = at % 2 ? 3 * at + 1 : at / 2)
      path.push(at);
    while (path.length) {
      known[path[path.length - 1]] = known[at] + 1;
      at = path.pop();
    }
    best = Math.max(best, known[n]);
  }
  return best;
}

function grid(size, turns) {
  var cells = [], i, turn, next, near, sum = 0;
  for (i = 0; i < size * size; i++) cells[i] = random(2);
  for (turn = 0; turn < turns; turn++) {
    next = [];
    for (i = 0; i < size * size; i++) {
      near = (cells[i - 1] | 0) + (cells[i + 1] | 0) + (cells[i - size] | 0) +
        (cells[i + size] | 0);
      next[i] = near == 2 || near + cells[i] == 3 ? 1 : 0;
    }
    cells = next;
  }
  for (i = 0; i < cells.length; i++) sum += cells[i] * i;
  return sum;
}

for (; scale > 0; scale--) {
  print(words(4000));
  print(queens(6, 0, [], [], []));
  print(shapes(8000));
  print(steps(2000));
  print(grid(30, 10));
}
