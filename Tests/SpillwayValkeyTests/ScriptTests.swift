#if ValkeySupport
import Admission
import SpillwayCore
import SpillwayTesting
import SpillwayValkey
import Testing

@Suite(.withRedis, .serialized, .timeLimit(.minutes(5))) struct ScriptTests {
    /// The script in the server and the rules in Swift answer alike, whatever comes: repeated, late, with another era, from
    /// clocks that go back.
    @Test func theScriptsKeepTheRules() async throws {
        let server = try RedisServer()
        let store = try ValkeyLeaseStore(server.url)
        for seed in UInt64(1)...60 {
            let random = RandomSource.seeded(seed)
            func number(_ most: UInt64) -> Int64 { Int64(random.next(through: most)) }
            let limit =
                seed % 2 == 0
                ? SharedLimit.Limit.rate(.perSecond(Double(1 + number(5_000))), burst: 1 + number(3_000))
                : .amount(1 + number(100_000), per: .seconds(10))
            var book = LeaseBook(), now: Int64 = 1_700_000_000_000_000, era = "a", sent: [LeaseRequest] = []
            var numbers: [UInt64: Int64] = [:], up: Int64 = 0
            for step in 0..<120 {
                now += number(20) == 0 ? -number(200_000) : number(60) == 0 ? number(12_000_000) : number(90_000)
                up += 50_000
                if number(40) == 0 { (era, up) = ("\(era)a", 0) }
                let request: LeaseRequest
                if number(6) == 0, let old = sent.last(where: { _ in number(3) != 0 }) {
                    request = old
                } else {
                    let holder = 1 + UInt64(number(3)), want = number(800)
                    numbers[holder, default: 0] += 1 + number(1)
                    request = LeaseRequest(
                        key: "limit-\(seed)", limit: limit, holder: holder, number: numbers[holder]!,
                        era: number(5) == 0 ? "" : era, life: .seconds(2), want: want, need: min(want, number(300)),
                        returned: number(3) == 0 ? number(50) : 0, unleased: number(5) == 0 ? number(100) : 0,
                        window: number(8) == 0 ? -1 : now / 10_000_000, spent: number(20_000),
                        held: number(500) - 50)
                }
                sent.append(request)
                let expected = book.exchange(request, at: now, era: era, up: up)
                let answer = try await store.exchange(request, as: (now, era, up))
                try #require(answer == expected, "seed \(seed), step \(step): \(request)")
            }
        }
        await store.close()
    }

    @Test func theServersOwnClockFillsTheBucket() async throws {
        let server = try RedisServer()
        let store = try ValkeyLeaseStore(server.url)
        var request = LeaseRequest(
            key: "k", limit: .rate(.perSecond(1_000_000), burst: 1_000), holder: 1, number: 1, era: "",
            life: .seconds(5), want: 1_000, need: 0, returned: 0, unleased: 0, window: -1, spent: 0, held: 0)
        let first = try await store.exchange(request)
        #expect(first.granted == 0, "a bucket that nobody knows is empty")
        #expect(first.era.count == 40)
        var granted: Int64 = 0
        while granted == 0 {
            request.number += 1
            granted = try await store.exchange(request).granted
        }
        #expect(granted <= 1_000)
        #expect(try await store.exchange(request).granted == granted, "the same again is the same")
        await store.close()
        let error = await #expect(throws: LeaseStoreError.self) { try await store.exchange(request) }
        #expect(error?.kind == .closed)
    }

    @Test func goesOnAfterTheServerForgotItsScripts() async throws {
        let server = try RedisServer()
        let store = try ValkeyLeaseStore(server.url)
        var request = LeaseRequest(
            key: "k", limit: .amount(1_000, per: .seconds(86_400)), holder: 1, number: 1, era: "", life: .seconds(1),
            want: 1, need: 1, returned: 0, unleased: 0, window: -1, spent: 0, held: 0)
        _ = try await store.exchange(request)
        _ = try server.command("SCRIPT", "FLUSH")
        request.number = 2
        let reply = try await store.exchange(request)
        #expect(reply.window > 0)
    }

    @Test func saysWhyItIsRefused() async throws {
        let server = try RedisServer(["--requirepass", "hunter2"])
        let request = LeaseRequest(
            key: "k", limit: .amount(1, per: .seconds(60)), holder: 1, number: 1, era: "", life: .seconds(1), want: 1,
            need: 1, returned: 0, unleased: 0, window: -1, spent: 0, held: 0)
        func error(_ url: String) async throws -> LeaseStoreError? {
            let store = try ValkeyLeaseStore(url)
            return await #expect(throws: LeaseStoreError.self) { try await store.exchange(request) }
        }
        let none = try await error("redis://127.0.0.1:\(server.port)")
        #expect(
            none?.kind == .refused && none?.description.contains("wants a password") == true,
            "\(none.map { "\($0)" } ?? "")")
        let wrong = try await error("redis://:wrong@127.0.0.1:\(server.port)")
        #expect(wrong?.kind == .refused && wrong?.description.contains("does not accept") == true)
        let database = try await error("redis://:hunter2@127.0.0.1:\(server.port)/99")
        #expect(database?.kind == .refused && database?.description.contains("SELECT") == true)
        _ = try await ValkeyLeaseStore("redis://default:hunter2@127.0.0.1:\(server.port)/3").exchange(request)
        server.kill()
        let gone = try await error("redis://:hunter2@127.0.0.1:\(server.port)")
        #expect(gone?.kind == .unreachable && gone?.description.contains("127.0.0.1:\(server.port)") == true)
    }

    /// A server without the command repeats what came with it.
    @Test func neverShowsThePasswordThatAServerRepeats() async throws {
        let server = try RedisServer(["--rename-command", "AUTH", "LOGIN"])
        let store = try ValkeyLeaseStore("redis://:hunter2@127.0.0.1:\(server.port)")
        let request = Self.request
        let error = await #expect(throws: LeaseStoreError.self) { try await store.exchange(request) }
        #expect(error?.kind == .refused && error?.description.contains("AUTH") == true)
        #expect(error?.description.contains("hunter2") == false)
    }

    private static let request = LeaseRequest(
        key: "k", limit: .amount(1_000, per: .seconds(60)), holder: 1, number: 1, era: "", life: .seconds(1), want: 5,
        need: 1, returned: 0, unleased: 0, window: -1, spent: 0, held: 0)

    @Test func anAnswerThatMakesNoSenseIsRefused() throws {
        let good = ["5", "0", "0", "a", "1", "1000", "0", "0", "995"]
        #expect(try ValkeyLeaseStore.reply(good, to: Self.request).unspent == 995)
        for (place, word) in [(0, "6"), (0, "\(Int64.max)"), (0, "-1"), (2, "-1"), (5, "-1"), (4, "x")] {
            var bad = good
            bad[place] = word
            let error = #expect(throws: LeaseStoreError.self) { try ValkeyLeaseStore.reply(bad, to: Self.request) }
            #expect(error?.kind == .malformed)
        }
    }

    @Test func aServerThatHangsIsGivenUp() async throws {
        let server = try RedisServer()
        let store = try ValkeyLeaseStore(server.url, commandTimeout: .milliseconds(50))
        let request = LeaseRequest(
            key: "k", limit: .amount(1, per: .seconds(60)), holder: 1, number: 1, era: "", life: .seconds(1), want: 1,
            need: 1, returned: 0, unleased: 0, window: -1, spent: 0, held: 0)
        _ = try await store.exchange(request)
        server.stop()
        let error = await #expect(throws: LeaseStoreError.self) { try await store.exchange(request) }
        #expect(error?.kind == .timedOut, "\(error.map { "\($0)" } ?? "")")
        server.goOn()
    }
}
#endif
