#if ValkeySupport
/// What the server does in one atomic step for each request: the rules of `LeaseBook`, in Lua.
///
/// The last arguments, where they are not empty, stand for the server's clock, its run and the time since it was started:
/// tests that compare the two say what they are.
enum Scripts {
    private static let server = """
        local now, era, up = tonumber(ARGV[#ARGV - 2]), ARGV[#ARGV - 1], tonumber(ARGV[#ARGV])
        if not now then
            local time = redis.call('TIME')
            now = time[1] * 1000000 + time[2]
            era, up = '-', 9007199254740992
            local info = redis.pcall('INFO', 'server')
            if type(info) == 'string' then
                era = string.match(info, 'run_id:(%w+)') or era
                local seconds = tonumber(string.match(info, 'uptime_in_seconds:(%d+)'))
                if seconds then up = seconds * 1000000 end
            end
        end
        local function whole(number) return string.format('%.0f', number) end
        local function share(want, need, left)
            if left <= 0 then return 0 end
            return math.max(math.min(want, math.floor((left + 1) / 2)), math.min(need, left))
        end

        """

    /// What is done for a rate.
    ///
    /// Keys: the bucket, the holder's last answer. Arguments: number, era, life, want, need, returned, unleased, units a
    /// microsecond, burst.
    static let rate =
        server + """
            local number, life, want, need = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
            local rate, burst = tonumber(ARGV[8]), tonumber(ARGV[9])
            local bucket = redis.call('HMGET', KEYS[1], 'level', 'at', 'era')
            local level, at = tonumber(bucket[1]) or 0, tonumber(bucket[2]) or now
            if bucket[3] ~= era then
                level = math.min(level, 0)
                at = now
            end
            if now > at then
                level = math.min(burst, level + (now - at) * rate)
                at = now
            end
            local function keep()
                redis.call('HSET', KEYS[1], 'level', string.format('%.17g', level), 'at', whole(at), 'era', era)
                redis.call('PEXPIRE', KEYS[1], whole(math.max(86400000, 2 * burst / rate / 1000)))
            end
            local last = redis.call('GET', KEYS[2])
            if last then
                local n, granted, left, wait, e = string.match(last, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
                if tonumber(n) >= number then
                    keep()
                    if tonumber(n) == number then return {granted, left, wait, e, '-1', '0', '0', '0', ''} end
                    return {'0', left, wait, e, '-1', '0', '0', '1', ''}
                end
            end
            if ARGV[2] == era then
                level = math.min(burst, level + tonumber(ARGV[6]))
                level = math.max(-burst, level - tonumber(ARGV[7]))
            end
            local left = math.floor(level)
            local granted = share(want, need, left)
            level = level - granted
            local wait = 0
            if granted < need then wait = math.ceil(math.max(0, need - level) / rate) end
            keep()
            local reply = {whole(granted), whole(left - granted), whole(wait), era}
            redis.call('SET', KEYS[2], whole(number) .. ' ' .. table.concat(reply, ' '), 'PX', whole(life / 250 + 60000))
            return {reply[1], reply[2], reply[3], reply[4], '-1', '0', '0', '0', ''}
            """

    /// What is done for an amount.
    ///
    /// Keys: the window, its holders, their leases by when they end. Arguments: number, holder, life, want, need, window,
    /// spent, held, amount, span.
    static let amount =
        server + """
            local number, life, want, need = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
            local id, amount, span = ARGV[2], tonumber(ARGV[9]), tonumber(ARGV[10])
            local book = redis.call('HMGET', KEYS[1], 'window', 'total', 'spent')
            local window, total, present = tonumber(book[1]), tonumber(book[2]) or 0, math.floor(now / span)
            local all = tonumber(book[3]) or 0
            if not window or present > window then
                window = present
                total = 0
                all = 0
                redis.call('DEL', KEYS[2], KEYS[3])
            end
            local function holder(name)
                local text = redis.call('HGET', KEYS[2], name)
                if not text then return nil end
                local words = {}
                for word in string.gmatch(text, '%S+') do words[#words + 1] = word end
                return words
            end
            for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', whole(now))) do
                local words = holder(name)
                if words then
                    total = total - tonumber(words[3])
                    words[3] = '0'
                    redis.call('HSET', KEYS[2], name, table.concat(words, ' '))
                end
                redis.call('ZREM', KEYS[3], name)
            end
            local function keep()
                redis.call('HSET', KEYS[1], 'window', whole(window), 'total', whole(total), 'spent',
                    whole(all))
                local ends = whole(math.max(0, ((window + 1) * span - now) / 1000) + 3600000)
                for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ends) end
            end
            local old = holder(id)
            if old and tonumber(old[1]) >= number then
                keep()
                local isLast = tonumber(old[1]) == number
                return {isLast and old[5] or '0', old[6], old[10], old[7], whole(window), old[8], old[9],
                    isLast and '0' or '1', old[11]}
            end
            local isPresent = tonumber(ARGV[6]) == window
            local isLeased = isPresent and old and tonumber(old[4]) > now
            local spent = isPresent and tonumber(ARGV[7]) or (old and tonumber(old[2]) or 0)
            local held = isLeased and math.max(0, tonumber(ARGV[8])) or 0
            total = total + spent + held
            all = all + spent
            if old then
                total = total - tonumber(old[2]) - tonumber(old[3])
                all = all - tonumber(old[2])
            end
            local left, wait = 0, whole(math.max(0, life - up))
            if up >= life then left = amount - total end
            local granted = share(want, need, left)
            total = total + granted
            local ends = whole(math.max(0, (window + 1) * span - now))
            local lapsed = isLeased and '0' or '1'
            local rest, unspent = whole(math.max(0, left - granted)), whole(math.max(0, amount - all))
            local words = {whole(number), whole(spent), whole(held + granted), whole(now + life), whole(granted), rest, era,
                ends, lapsed, wait, unspent}
            redis.call('HSET', KEYS[2], id, table.concat(words, ' '))
            redis.call('ZADD', KEYS[3], whole(now + life), id)
            keep()
            return {whole(granted), rest, wait, era, whole(window), ends, lapsed, '0', unspent}
            """
}
#endif
