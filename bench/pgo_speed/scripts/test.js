// What mujs is judged by: JSON, trees, a sieve, a matrix, a tiny machine, lines.
var scale = Number(scriptArgs[0]);
var seed = 7;

function random(n) {
  seed = (seed * 48271) % 2147483647;
  return seed % n;
}

function document(depth) {
  var result, i;
  if (depth == 0) return random(2) ? random(1000) : 'text ' + random(100);
  result = depth % 2 ? {} : [];
  for (i = 0; i < 5; i++)
    result[depth % 2 ? 'key' + i : i] = document(depth - 1);
  return result;
}

function tree(depth) {
  return depth ? {left: tree(depth - 1), right: tree(depth - 1)} : {};
}
function nodes(of) {
  return of.left ? 1 + nodes(of.left) + nodes(of.right) : 1;
}

function primes(limit) {
  var composite = [], count = 0, i, j;
  for (i = 0; i <= limit; i++) composite[i] = false;
  for (i = 2; i <= limit; i++) {
    if (composite[i]) continue;
    count++;
    for (j = i * i; j <= limit; j += i) composite[j] = true;
  }
  return count;
}

function product(n) {
  var a = [], b = [], trace = 0, i, j, k, sum, row;
  for (i = 0; i < n; i++) {
    a[i] = [];
    b[i] = [];
    for (j = 0; j < n; j++) {
      a[i][j] = random(10) / 4;
      b[i][j] = random(10) / 8;
    }
  }
  for (i = 0; i < n; i++) {
    row = a[i];
    for (j = 0; j < n; j++) {
      sum = 0;
      for (k = 0; k < n; k++) sum += row[k] * b[k][j];
      if (i == j) trace += sum;
    }
  }
  return trace;
}

function machine(steps) {
  var stack = [0], i, step;
  var operations = {
    push: function (n) { stack.push(n); },
    add: function () { stack.push(stack.pop() + stack.pop()); },
    swap: function () {
      var a = stack.pop(), b = stack.pop();
      stack.push(a);
      stack.push(b);
    }
  };
  var code = [['push', 3], ['add'], ['push', 5], ['swap'], ['add']];
  for (i = 0; i < steps; i++) {
    step = code[i % code.length];
    operations[step[0]](step[1]);
  }
  return stack[0];
}

function lines(count) {
  var bytes = 0, i, j, line;
  for (i = 0; i < count; i++) {
    line = [i, random(5), (random(900) / 7).toFixed(2)].join(';');
    line = line.replace(/;/g, '|').toUpperCase();
    for (j = 0; j < line.length; j++)
      bytes = (bytes * 31 + line.charCodeAt(j)) % 1000003;
  }
  return bytes;
}

for (; scale > 0; scale--) {
  var text = JSON.stringify(document(5));
  print(text.length, JSON.stringify(JSON.parse(text)) == text);
  print(nodes(tree(11)));
  print(primes(15000));
  print(product(25));
  print(machine(10000));
  print(lines(800));
}
