// An S3 server for tests: prints its port, and serves until standard input
// ends.
//
//   node s3_server.js DIRECTORY BUCKET
//
// DIRECTORY is where it keeps objects. Its credentials are S3RVER and S3RVER.
const S3rver = require('@20minutes/s3rver');

const [directory, bucket] = process.argv.slice(2);
new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory,
  configureBuckets: [{name: bucket}],
}).run().then(({port}) => {
  console.log(port);
  process.stdin.on('end', () => process.exit(0)).resume();
});
