-- Admit one request against every limit of an account, or say exactly why not; and settle it.
--
-- KEYS[1]  hash of the account: epoch; the minute as one-second cells r<second> and t<second>
--          with their sums r, t and the oldest second kept, tail; last, the newest second that
--          has a cell; day, dr, dt and month, mr, mt: the current UTC day by its number and the
--          current month by its first second, with the requests and tokens in them.
-- KEYS[2]  leases: reservations "<request id>|<tokens>" by the second at which they are given up.
-- ARGV[1]  admit, peek, settle or restore
-- ARGV[2]  seconds that a lease lasts; the rest is explained at each.
--
-- A cell counts until 61 seconds after it began, so no interval of 60 seconds ever holds more
-- than the limit. A refused request changes no counter.

local key, leases, verb = KEYS[1], KEYS[2], ARGV[1]
local now = tonumber(redis.call('TIME')[1])
local day, lasts = math.floor(now / 86400), tonumber(ARGV[2])
local KEEP = 40 * 86400

local f = redis.call('HMGET', key, 'epoch', 'tail', 'r', 't', 'day', 'dr', 'dt', 'month', 'mr', 'mt', 'last',
    'r' .. now, 't' .. now)

if verb == 'restore' then -- epoch, day, requests and tokens in it, month, requests and tokens in it
    if not f[5] and tonumber(ARGV[4]) == day then
        redis.call('HSET', key, 'epoch', math.max(tonumber(f[1] or 0), tonumber(ARGV[3])),
            'tail', now - 60, 'r', 0, 't', 0, 'last', 0, 'day', day, 'dr', ARGV[5], 'dt', ARGV[6],
            'month', ARGV[7], 'mr', ARGV[8], 'mt', ARGV[9])
        redis.call('EXPIRE', key, KEEP)
    end
    return {'ok'}
end

if not f[5] then
    return {'cold'}
end

local epoch = tonumber(f[1] or 0)
local tail, r, t = tonumber(f[2]), tonumber(f[3]), tonumber(f[4])
local dr, dt, mr, mt = tonumber(f[6]), tonumber(f[7]), tonumber(f[9]), tonumber(f[10])
local month, last = tonumber(f[8]), tonumber(f[11])

if tonumber(f[5]) ~= day then
    dr, dt = 0, 0
    redis.call('EXPIRE', key, KEEP)
end

-- Cells that have left the minute take their part of the sums with them.
local oldest = now - 60
if tail < oldest then
    if r ~= 0 or t ~= 0 then
        local names = {}
        for second = tail, math.min(oldest - 1, tail + 60) do
            names[#names + 1] = 'r' .. second
            names[#names + 1] = 't' .. second
        end
        local cells = redis.call('HMGET', key, unpack(names))
        for i = 1, #cells, 2 do
            r = r - tonumber(cells[i] or 0)
            t = t - tonumber(cells[i + 1] or 0)
        end
        redis.call('HDEL', key, unpack(names))
    end
    tail = oldest
end

-- Put what was really used in the place of a reservation. Only the first call finds it.
local function settle(lease, used)
    local expires = redis.call('ZSCORE', leases, lease)
    if not expires then
        return
    end
    redis.call('ZREM', leases, lease)
    local second = tonumber(expires) - lasts
    local change = used - tonumber(lease:match('|(%d+)$'))
    if second >= tail then
        redis.call('HINCRBY', key, 't' .. second, change)
        t = t + change
    end
    if second >= day * 86400 then
        dt = dt + change
    end
    if second >= month then
        mt = mt + change
    end
end

local function write(...)
    redis.call('HSET', key, 'tail', tail, 'r', r, 't', t, 'last', last,
        'day', day, 'dr', dr, 'dt', dt, 'month', month, 'mr', mr, 'mt', mt, ...)
end

if verb == 'settle' then -- pairs of lease and tokens used
    for i = 3, #ARGV, 2 do
        settle(ARGV[i], tonumber(ARGV[i + 1]))
    end
    write()
    return {'ok'}
end

-- admit, peek: epoch, month, lease, tokens, six limits (-1: none)
local asked_epoch = tonumber(ARGV[3])
if epoch > asked_epoch then
    return {'stale'}
elseif epoch < asked_epoch then
    redis.call('HSET', key, 'epoch', asked_epoch)
end
if tonumber(ARGV[4]) > month then
    month, mr, mt = tonumber(ARGV[4]), 0, 0
end

if last ~= now then -- else it was done in this very second
    for _, lease in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 50)) do
        settle(lease, 0) -- its process died; the recorder charges what is known
    end
end

local tokens = tonumber(ARGV[6])
local ask = {1, tokens, 1, tokens, 1, tokens}
local used = {r, t, dr, dt, mr, mt}
local refused = false
if verb == 'admit' then
    for i = 1, 6 do
        local limit = tonumber(ARGV[6 + i])
        if limit >= 0 and used[i] + ask[i] > limit then
            refused = true
        end
    end
end

if verb == 'admit' and not refused then
    redis.call('ZADD', leases, now + lasts, ARGV[5])
    if last ~= now then
        redis.call('EXPIRE', leases, KEEP)
    end
    r, t, dr, dt, mr, mt, last = r + 1, t + tokens, dr + 1, dt + tokens, mr + 1, mt + tokens, now
    write('r' .. now, (f[12] or 0) + 1, 't' .. now, (f[13] or 0) + tokens)
else
    write()
end

-- When would this very request pass the minute? Walk its cells from the oldest.
local passes = {0, 0}
if refused then
    local names = {}
    for second = tail, now do
        names[#names + 1] = 'r' .. second
        names[#names + 1] = 't' .. second
    end
    local cells = redis.call('HMGET', key, unpack(names))
    for i = 1, 2 do
        local limit, left = tonumber(ARGV[6 + i]), used[i] + ask[i]
        local second = tail
        while limit >= 0 and left > limit and second <= now do
            left = left - tonumber(cells[(second - tail) * 2 + i] or 0)
            passes[i] = second + 61
            second = second + 1
        end
        if limit >= 0 and left > limit then
            passes[i] = -1 -- asks for more than the limit itself
        end
    end
end

return {refused and 'refused' or 'ok', now, last, r, t, dr, dt, mr, mt, passes[1], passes[2]}
