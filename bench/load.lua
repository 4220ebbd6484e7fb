-- What wrk sends, from the environment: LOAD_METHOD, LOAD_BODY, LOAD_SIGNATURE, LOAD_TOKEN, and
-- LOAD_PAUSE, milliseconds that each connection rests before a request. The figures go as one line of
-- JSON to the file LOAD_REPORT; latencies in microseconds. LOAD_LATENCIES: a file for each of them,
-- as lines "latency count".
wrk.method = os.getenv("LOAD_METHOD")
wrk.body = os.getenv("LOAD_BODY")
if wrk.body then
  wrk.headers["Content-Type"] = "application/json"
end
wrk.headers["X-Hub-Signature-256"] = os.getenv("LOAD_SIGNATURE")
local token = os.getenv("LOAD_TOKEN")
if token then
  wrk.headers["Authorization"] = "Bearer " .. token
end
local pause = tonumber(os.getenv("LOAD_PAUSE") or "0")
if pause > 0 then
  function delay()
    return pause
  end
end

function done(summary, latency)
  local e = summary.errors
  local f = assert(io.open(os.getenv("LOAD_REPORT"), "w"))
  f:write(string.format('{"requests":%d,"us":%d,"p50":%d,"p99":%d,"errors":%d}\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
  f:close()
  local all = os.getenv("LOAD_LATENCIES")
  if all then
    f = assert(io.open(all, "w"))
    for i = 1, #latency do
      f:write(string.format("%d %d\n", latency(i)))
    end
    f:close()
  end
end
