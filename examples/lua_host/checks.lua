-- SPDX-License-Identifier: MIT
--
-- checks.lua - run many commands at once, each with a time limit.
--
--	lua_host checks.lua [seconds] command...
--
-- A task for each command; at most four run at a time: who wants to run sends
-- to a channel with four places, and receives when done.

local limit = tonumber((...))
local commands = { select(limit and 2 or 1, ...) }
local slots = weft.channel(4)
local results = weft.channel()
local passed = 0

local function check(command)
	slots:send(true)
	local from = weft.now()
	local output, status = weft.run(command, limit or 10)
	slots:recv()
	results:send({
		command = command, took = weft.now() - from, ok = status == 0,
		why = output and "status " .. status or status,
	})
end

for _, command in ipairs(commands) do
	weft.spawn(check, command)
end
for _ = 1, #commands do
	local r = results:recv()
	local verdict = r.ok and "ok" or "FAILED"
	local why = r.ok and "" or ": " .. r.why
	print(("%-7s %.1f s  %s%s"):format(verdict, r.took, r.command, why))
	passed = passed + (r.ok and 1 or 0)
end
print(("%d of %d passed"):format(passed, #commands))
if passed < #commands then os.exit(false) end
