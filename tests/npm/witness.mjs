// What the scripts here share: one line for each thing looked at, "ok ..." or "FAIL ...", and "done" at the end (tests/e2e/foreign.py).

export function look(good, what, ...more) {
  console.log(good ? 'ok' : 'FAIL', what, ...(good ? [] : more.map((m) => JSON.stringify(m))));
}

// The error that a call must end with.
export async function refused(call, what) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  look(false, what, 'it was not refused');
  return {};
}

export function tell(value) {
  console.log(JSON.stringify(value));
}

export async function run(main) {
  try {
    await main();
    console.log('done');
  } catch (error) {
    console.log('FAIL', error.statusCode ?? error.status, error.message, error.stack, JSON.stringify(error.response?.data ?? error.body ?? null));
  }
}
