// `DOCUMENT`, `SERVER` and `OUTPUT` name the document, the server's address and the folder.
const { DOCUMENT, SERVER, OUTPUT } = process.env;

module.exports = {
  client: {
    input: DOCUMENT,
    output: { target: `${OUTPUT}/client.ts`, client: 'fetch', baseUrl: SERVER },
  },
  zod: { input: DOCUMENT, output: { target: `${OUTPUT}/zod.ts`, client: 'zod' } },
};
