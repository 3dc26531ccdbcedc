// The wallet core as a page sees it: Go's functions that return an Error throw it
// here, and a holder is an object. main.go tells what there is and what to heed.
//
// Load Go's wasm_exec.js first (a script of the Go distribution, for the same version
// as built the core), then: const core = await load(bytes).

export async function load(bytes) {
  const go = new globalThis.Go();
  const { instance } = await WebAssembly.instantiate(bytes, go.importObject);
  go.run(instance); // runs for as long as the page does
  const flat = globalThis.jiaozi;
  const core = {};
  for (const name of Object.keys(flat)) core[name] = throwing(flat[name]);
  const { holder, forget, opening, sign, challenge, finish, recall, claim, ...rest } = core;
  return {
    ...rest,
    holder(words, network) {
      const { number, identity, authKey } = holder(words, network);
      return {
        identity,
        authKey,
        opening: (context) => opening(number, context),
        sign: (message) => sign(number, message),
        // n counts the withdrawals under a key, and is never used for two.
        withdraw: (key, n, commitment) => ({
          challenge: challenge(number, key, n, commitment),
          finish: (r) => finish(number, key, n, commitment, r),
        }),
        recall: (key, n, c, r) => recall(number, key, n, c, r),
        claim: (own) => claim(number, own),
        forget: () => forget(number),
      };
    },
  };
}

function throwing(f) {
  return (...args) => {
    const result = f(...args);
    if (result instanceof Error) throw result;
    return result;
  };
}
