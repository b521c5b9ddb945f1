-- Admit one request against every limit of an account and of a key, or say exactly why not; and
-- settle it.
--
-- KEYS[1]  counters of the account: the minute as one-second cells r<second> and t<second> with
--          their sums r, t and the oldest second kept, tail; last, the newest second that has a
--          cell; day, dr, dt and month, mr, mt: the current UTC day by its number and the current
--          UTC month by its first second, with the requests and tokens in them. And the epoch.
--          A key that has limits of its own has counters of its own, under <KEYS[1]>:<name>, and
--          among them lr, lt: the requests and tokens of its lifetime.
-- KEYS[2]  leases: reservations "<request id>|<tokens>[|<name>]" by the second at which they are
--          given up. One that is settled with a ~ before it was granted while Redis was away; those
--          are remembered in <KEYS[1]>:adopted, and when that was last in adopted of the account.
-- ARGV[1]  admit, rehearse, peek, settle, adopt or restore
-- ARGV[2]  seconds that a lease lasts; the rest is explained at each.
--
-- A cell counts until 61 seconds after it began, so no interval of 60 seconds ever holds more
-- than the limit. A refused request changes no counter.

local account, leases, verb, lasts = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local now = tonumber(redis.call('TIME')[1])
local day, oldest = math.floor(now / 86400), now - 60
local KEEP, ADOPTED_FOR = 40 * 86400, 2 * 86400

-- The first second of the UTC month of today (the civil calendar in eras of 400 years from March).
local function this_month()
    local of_era = (day + 719468) % 146097
    local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524)
        - math.floor(of_era / 146096)) / 365)
    local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
    local in_month = of_year - math.floor((153 * math.floor((5 * of_year + 2) / 153) + 2) / 5)
    return (day - in_month) * 86400
end

-- Take cells out of the hash; the requests and tokens that were in them.
local function take(name, from, to)
    local names, r, t = {}, 0, 0
    for second = from, to do
        names[#names + 1] = 'r' .. second
        names[#names + 1] = 't' .. second
    end
    local cells = redis.call('HMGET', name, unpack(names))
    for i = 1, #cells, 2 do
        r, t = r + tonumber(cells[i] or 0), t + tonumber(cells[i + 1] or 0)
    end
    redis.call('HDEL', name, unpack(names))
    return r, t
end

-- Counters as they are at this second: 1 r, 2 t, 3 dr, 4 dt, 5 mr, 6 mt; of a key also 7 lr, 8 lt.
-- False if lost.
local function read(name)
    local f = redis.call('HMGET', name, 'day', 'tail', 'last', 'month', 'r', 't', 'dr', 'dt', 'mr', 'mt',
        'r' .. now, 't' .. now, 'epoch', 'adopted', 'lr', 'lt')
    if not f[1] then
        return false
    end
    local c = {tonumber(f[5]), tonumber(f[6]), tonumber(f[7]), tonumber(f[8]), tonumber(f[9]), tonumber(f[10]),
        tonumber(f[15]), tonumber(f[16]), name = name, day = tonumber(f[1]), tail = tonumber(f[2]), last = tonumber(f[3]),
        month = tonumber(f[4]), r = f[11] or 0, t = f[12] or 0, epoch = f[13],
        adopted = f[14]}
    if c.day < day then
        c.day, c[3], c[4] = day, 0, 0
        redis.call('HSET', name, 'day', day, 'dr', 0, 'dt', 0)
        redis.call('EXPIRE', name, KEEP)
    end
    if now - c.month >= 28 * 86400 and c.month < this_month() then
        c.month, c[5], c[6] = this_month(), 0, 0
        redis.call('HSET', name, 'month', c.month, 'mr', 0, 'mt', 0)
    end
    if c.last > now then -- the clock was set back: what is in the minute counts as if it came now
        take(name, c.tail, math.min(c.last, c.tail + 60))
        c.tail, c.last, c.r, c.t = oldest, now, c[1], c[2]
        redis.call('HSET', name, 'tail', oldest, 'last', now, 'r' .. now, c.r, 't' .. now, c.t)
    elseif c.tail < oldest then -- cells that have left the minute take their part of the sums along
        if c[1] ~= 0 or c[2] ~= 0 then
            local r, t = take(name, c.tail, math.min(oldest - 1, c.tail + 60))
            c[1], c[2] = c[1] - r, c[2] - t
        end
        c.tail = oldest
        redis.call('HSET', name, 'tail', oldest, 'r', c[1], 't', c[2])
    end
    return c
end

local function write(c, ...)
    redis.call('HSET', c.name, 'r', c[1], 't', c[2], 'dr', c[3], 'dt', c[4], 'mr', c[5], 'mt', c[6], ...)
    if c[7] then
        redis.call('HSET', c.name, 'lr', c[7], 'lt', c[8])
    end
end

local function came_now(c)
    if c.last ~= now then
        c.last = now
        redis.call('HSET', c.name, 'last', now)
    end
end

local loaded = {}
local function counters(name)
    if loaded[name] == nil then
        loaded[name] = read(name)
    end
    return loaded[name]
end

local function write_all()
    for _, c in pairs(loaded) do
        if c then
            write(c)
        end
    end
end

-- Correct every window that a second belongs to.
local function add(c, second, requests, tokens)
    second = math.min(second, c.last)
    if second >= c.tail then
        if requests ~= 0 then
            redis.call('HINCRBY', c.name, 'r' .. second, requests)
        end
        redis.call('HINCRBY', c.name, 't' .. second, tokens)
        c[1], c[2] = c[1] + requests, c[2] + tokens
    end
    if second >= c.day * 86400 then
        c[3], c[4] = c[3] + requests, c[4] + tokens
    end
    if second >= c.month then
        c[5], c[6] = c[5] + requests, c[6] + tokens
    end
    if c[7] then
        c[7], c[8] = c[7] + requests, c[8] + tokens
    end
end

local function add_to_all(name, second, requests, tokens)
    add(counters(account), second, requests, tokens)
    local own = name ~= '' and counters(account .. ':' .. name)
    if own then
        add(own, second, requests, tokens)
    end
end

-- Remember a lease of the time without us: whoever asked for it may have been heard too late.
-- False if we know of it already.
local adopted = account .. ':adopted'
local function remember(lease)
    if redis.call('SADD', adopted, lease) == 0 then
        return false
    end
    redis.call('EXPIRE', adopted, ADOPTED_FOR)
    redis.call('HSET', account, 'adopted', now)
    return true
end

-- Count what was granted without us as if it came now, once.
local function enter(lease, name, tokens)
    if not remember(lease) then
        return false
    end
    came_now(counters(account))
    if name ~= '' and counters(account .. ':' .. name) then
        came_now(counters(account .. ':' .. name))
    end
    add_to_all(name, now, 1, tokens)
    return true
end

-- Put what was really used in the place of a reservation; -1: no request was served at all. Only
-- the first call finds it.
local function settle(lease, used)
    local foreign = lease:byte() == 126 -- ~
    if foreign then
        lease = lease:sub(2)
    end
    local tokens, name = lease:match('|(%d+)|?(.*)$')
    local expires = redis.call('ZSCORE', leases, lease)
    if expires then
        redis.call('ZREM', leases, lease)
        add_to_all(name, tonumber(expires) - lasts, used < 0 and -1 or 0, math.max(used, 0) - tonumber(tokens))
    elseif foreign then
        enter(lease, name, used)
    elseif used < 0 then
        remember(lease)
    end
end

if verb == 'restore' then -- epoch, day, month; of each: name, requests and tokens of day, month, ever
    if tonumber(ARGV[4]) == day and tonumber(ARGV[5]) == this_month() then
        for i = 6, #ARGV, 7 do
            local name = ARGV[i] == '' and account or account .. ':' .. ARGV[i]
            if redis.call('HEXISTS', name, name == account and 'day' or 'lr') == 0 then
                redis.call('HSET', name, 'tail', oldest, 'last', 0, 'r', 0, 't', 0,
                    'day', day, 'dr', ARGV[i + 1], 'dt', ARGV[i + 2],
                    'month', ARGV[5], 'mr', ARGV[i + 3], 'mt', ARGV[i + 4])
                if name ~= account then
                    redis.call('HSET', name, 'lr', ARGV[i + 5], 'lt', ARGV[i + 6])
                end
                redis.call('EXPIRE', name, KEEP)
            end
        end
        if tonumber(redis.call('HGET', account, 'epoch') or 0) < tonumber(ARGV[3]) then
            redis.call('HSET', account, 'epoch', ARGV[3])
        end
    end
    return {'ok'}
end

local whole = counters(account)
if not whole then
    return {'cold'}
end

if verb == 'settle' then -- pairs of lease and tokens used
    for i = 3, #ARGV, 2 do
        settle(ARGV[i], tonumber(ARGV[i + 1]))
    end
elseif verb == 'adopt' then -- leases that were granted while Redis was away and are still in use
    for i = 3, #ARGV do
        local tokens, name = ARGV[i]:match('|(%d+)|?(.*)$')
        if not redis.call('ZSCORE', leases, ARGV[i]) and enter(ARGV[i], name, tonumber(tokens)) then
            redis.call('ZADD', leases, now + lasts, ARGV[i])
        end
    end
end
if verb == 'settle' or verb == 'adopt' then
    write_all()
    return {'ok'}
end

-- admit, rehearse, peek: epoch, lease, tokens, six limits (-1: none); the key's name, eight limits
if whole.epoch ~= ARGV[3] then
    if tonumber(whole.epoch or 0) > tonumber(ARGV[3]) then
        return {'stale'}
    end
    redis.call('HSET', account, 'epoch', ARGV[3])
end

local own = ARGV[12] and counters(account .. ':' .. ARGV[12])
if own == false or own and not own[7] then
    return {'cold'}
end

if whole.last ~= now then -- else it was done in this very second
    local expired = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 50)
    if expired[1] then
        for _, lease in ipairs(expired) do
            settle(lease, 0) -- its process died; the recorder charges what is known
        end
        write_all()
    end
end

local tokens = tonumber(ARGV[5])
local function fits(c, at) -- under the limits from ARGV[at] on
    for i = 1, #c do
        local limit = ARGV[at + i - 1]
        if limit ~= '-1' and c[i] + (i % 2 == 1 and 1 or tokens) > tonumber(limit) then
            return false
        end
    end
    return true
end

local admitted = verb == 'peek' or fits(whole, 6) and (not own or fits(own, 13))

local function reserve(c)
    c[1], c[2], c[3], c[4], c[5], c[6] =
        c[1] + 1, c[2] + tokens, c[3] + 1, c[4] + tokens, c[5] + 1, c[6] + tokens
    if c[7] then
        c[7], c[8] = c[7] + 1, c[8] + tokens
    end
    came_now(c)
    write(c, 'r' .. now, c.r + 1, 't' .. now, c.t + tokens)
end

-- What comes late, or again after an answer that was lost, is counted already.
local function is_new(lease)
    local late = whole.adopted and now - whole.adopted < lasts and redis.call('SISMEMBER', adopted, lease) == 1
    return not late and redis.call('ZADD', leases, 'NX', now + lasts, lease) == 1
end

if verb == 'admit' and admitted and is_new(ARGV[4]) then
    if whole.last ~= now then
        redis.call('EXPIRE', leases, KEEP)
    end
    reserve(whole)
    if own then
        reserve(own)
    end
end

-- When would this very request pass the minute? Walk the cells from the oldest.
local function passes(c, i, limit)
    local left = c[i] + (i == 1 and 1 or tokens)
    if limit < 0 or left <= limit then
        return 0
    end
    local names = {}
    for second = c.tail, now do
        names[#names + 1] = (i == 1 and 'r' or 't') .. second
    end
    for n, cell in ipairs(redis.call('HMGET', c.name, unpack(names))) do
        left = left - tonumber(cell or 0)
        if left <= limit then
            return c.tail + n + 60
        end
    end
    return 0 -- it asks for more than the limit itself
end

local reply = {admitted and 'ok' or 'refused', now, whole.last, unpack(whole, 1, 6)}
if not admitted then
    reply[10], reply[11] = passes(whole, 1, tonumber(ARGV[6])), passes(whole, 2, tonumber(ARGV[7]))
end
if own then
    reply[10], reply[11], reply[12] = reply[10] or 0, reply[11] or 0, own.last
    for i = 1, 8 do
        reply[12 + i] = own[i]
    end
    if not admitted then
        reply[21], reply[22] = passes(own, 1, tonumber(ARGV[13])), passes(own, 2, tonumber(ARGV[14]))
    end
end
return reply
