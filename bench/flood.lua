-- Wrong sign-ins, as flood.py wants them. LOAD_FIRST: the number of the first; LOAD_WHO: "many", each for an
-- account and from an address of its own; "one", all alike; "nobody", the control: requests as long for what is
-- not there. Answers are counted by status into LOAD_REPORT.
local number = tonumber(os.getenv("LOAD_FIRST"))
local who = os.getenv("LOAD_WHO")
local pause = tonumber(os.getenv("LOAD_PAUSE"))
local path = who == "nobody" and "/api/nada" or "/api/auth/login"
local threads = {}
ok, refused, slowed, other = 0, 0, 0, 0

function setup(thread)
  table.insert(threads, thread)
end

function request()
  number = number + 1
  local n = who == "many" and number or 0
  return wrk.format("POST", path, {
    ["Content-Type"] = "application/json",
    ["X-Forwarded-For"] = string.format("10.%d.%d.%d", math.floor(n / 65536) % 256,
      math.floor(n / 256) % 256, n % 256)
  }, string.format('{"email":"pessoa%d@exemplo.com.br","senha":"nenhuma destas"}', n))
end

function delay()
  return pause
end

function response(status)
  if status == 401 then
    ok = ok + 1
  elseif status == 503 then
    refused = refused + 1
  elseif status == 429 then
    slowed = slowed + 1
  else
    other = other + 1
  end
end

function done(summary)
  local sum = {ok = 0, refused = 0, slowed = 0, other = 0}
  for _, thread in ipairs(threads) do
    for name, value in pairs(sum) do
      sum[name] = value + thread:get(name)
    end
  end
  local f = assert(io.open(os.getenv("LOAD_REPORT"), "w"))
  f:write(string.format('{"401":%d,"503":%d,"429":%d,"other":%d}\n', sum.ok, sum.refused, sum.slowed,
    sum.other + summary.errors.timeout + summary.errors.connect))
  f:close()
end
