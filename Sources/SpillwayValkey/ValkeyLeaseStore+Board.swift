#if ValkeySupport
internal import Admission
public import CircuitBreaking
internal import SpillwayCore

extension ValkeyLeaseStore: BreakerBoardStore {
    /// Takes note of what a process sees, and answers what the others see.
    ///
    /// - Throws: `LeaseStoreError`, which says where the server is and what it said.
    public func exchange(_ report: BreakerReport) async throws -> [BreakerSighting] {
        try await exchange(report, at: nil)
    }

    /// The same by another clock than the server's, in microseconds.
    package func exchange(_ report: BreakerReport, at now: Int64?) async throws -> [BreakerSighting] {
        try await perform { [prefix] connection throws(LeaseStoreError) in
            let own = report.open.flatMap { [$0.breaker, "\($0.since.microseconds)", "\($0.left.microseconds)"] }
            let texts = try connection.run(
                Scripts.board, keys: ["\(prefix){\(report.board)}:breakers"],
                ["\(report.process)", "\(report.life.microseconds)", now.map { "\($0)" } ?? ""] + own)
            return try Self.sightings(texts)
        }
    }

    private static func sightings(_ texts: [String]) throws(LeaseStoreError) -> [BreakerSighting] {
        var sightings: [BreakerSighting] = []
        for start in stride(from: 0, to: texts.count, by: 4) {
            guard start + 4 <= texts.count, let process = UInt64(texts[start]), let since = Int64(texts[start + 2]),
                let left = Int64(texts[start + 3])
            else { throw LeaseStoreError(.malformed, "the script answered \(texts.suffix(from: start).prefix(4))") }
            sightings.append(
                BreakerSighting(
                    breaker: texts[start + 1], process: process, since: .microseconds(since),
                    left: .microseconds(left)))
        }
        return sightings
    }
}

extension Scripts {
    /// What is done for a board.
    ///
    /// Key: what each process sees, a field for each of its breakers, with when the trouble began, when it is open no more and
    /// when the word of its process is over. Arguments: process, life, a clock for tests, and of each open breaker the name,
    /// since and left. What is no longer true, or makes no sense, is taken out.
    static let board = """
        local now, life = tonumber(ARGV[3]), tonumber(ARGV[2])
        if not now then
            local time = redis.call('TIME')
            now = time[1] * 1000000 + time[2]
        end
        local function whole(number) return string.format('%.0f', number) end
        local book, reply = redis.call('HGETALL', KEYS[1]), {}
        for i = 1, #book, 2 do
            local process, name = string.match(book[i], '^(%d+) (.*)$')
            local from, till, over = string.match(book[i + 1], '^(%-?%d+) (%d+) (%d+)$')
            if not process or not from or process == ARGV[1] or tonumber(till) <= now or tonumber(over) <= now then
                redis.call('HDEL', KEYS[1], book[i])
            else
                for _, word in ipairs({process, name, whole(math.max(0, now - from)), whole(till - now)}) do
                    reply[#reply + 1] = word
                end
            end
        end
        for i = 4, #ARGV, 3 do
            local words = {whole(now - ARGV[i + 1]), whole(now + ARGV[i + 2]), whole(now + life)}
            redis.call('HSET', KEYS[1], ARGV[1] .. ' ' .. ARGV[i], table.concat(words, ' '))
        end
        if #ARGV > 3 then
            local rest = math.max(redis.call('PTTL', KEYS[1]), math.ceil(life / 1000) + 3600000)
            redis.call('PEXPIRE', KEYS[1], whole(rest))
        end
        return reply
        """
}
#endif
