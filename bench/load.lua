-- What wrk sends, from the environment: LOAD_METHOD, LOAD_BODY, LOAD_SIGNATURE. The figures go as one
-- line of JSON to the file LOAD_REPORT; latencies in microseconds.
wrk.method = os.getenv("LOAD_METHOD")
wrk.body = os.getenv("LOAD_BODY")
if wrk.body then
  wrk.headers["Content-Type"] = "application/json"
end
wrk.headers["X-Hub-Signature-256"] = os.getenv("LOAD_SIGNATURE")

function done(summary, latency)
  local e = summary.errors
  local f = assert(io.open(os.getenv("LOAD_REPORT"), "w"))
  f:write(string.format('{"requests":%d,"us":%d,"p50":%d,"p99":%d,"errors":%d}\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
  f:close()
end
