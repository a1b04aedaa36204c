import CostLedger
import Foundation
import SpillwayCore
import SpillwaySQLite
import Synchronization
import Testing

@testable import FakeFleet
@testable import Gateway

/// A store in memory, which can be told to fail.
private final class Shelf: LedgerStore {
    private let state = Mutex((postings: [Posting](), fails: false))

    var postings: [Posting] { state.withLock { $0.postings } }
    var fails: Bool {
        get { state.withLock { $0.fails } }
        set { state.withLock { $0.fails = newValue } }
    }

    func load(at now: Int64) async throws(StoreError) -> LedgerImage { LedgerImage() }

    func append(_ batch: LedgerBatch) async throws(StoreError) {
        let isKept = state.withLock { state in
            if !state.fails { state.postings += batch.postings }
            return !state.fails
        }
        if !isKept { throw StoreError(.full, "no room on the shelf") }
    }
}

/// What becomes of calls with the place where postings are kept.
@Suite(.serialized, .timeLimit(.minutes(10))) struct StoreTests {
    private func withStore(_ ledger: String, _ body: (Bench, Shelf) async throws -> Void) async throws {
        let shelf = Shelf()
        try await withBench(replicas: 1, extra: Purse.yaml(ledger: ledger), store: shelf) { try await body($0, shelf) }
    }

    @Test(arguments: [true, false])
    func `what an answer cost is stored before it ends`(streamed: Bool) async throws {
        try await withStore("") { bench, shelf in
            let paid = try await bench.pay(streamed: streamed)
            #expect(paid.seen.isDone)
            let settled = shelf.postings.filter { $0.kind == .settled }
            #expect(settled.map(\.cost) == [streamed ? paid.finalCost : paid.cost])
            #expect(settled.map(\.source) == [.provider])
        }
    }

    @Test(arguments: [true, false])
    func `what is held is stored before the upstream hears of the call`(streamed: Bool) async throws {
        try await withStore(", file: none, durability: holds") { bench, shelf in
            #expect(try await bench.pay(streamed: streamed).seen.isDone)
            #expect(shelf.postings.map(\.kind) == [.held, .settled])
            shelf.fails = true
            let refused = try await bench.pay(streamed: streamed)
            #expect(refused.seen.status == 503)
            #expect(refused.seen.code == "ledger_unavailable")
            #expect(try await bench.calls == [1])
        }
    }

    @Test(arguments: [true, false])
    func `an answer whose cost cannot be stored does not look whole, and later calls are refused`(
        streamed: Bool
    ) async throws {
        try await withStore("") { bench, shelf in
            shelf.fails = true
            let first = try await bench.pay(streamed: streamed)
            #expect(first.seen.code == "ledger_unavailable")
            #expect(first.seen.status == (streamed ? 200 : 503))
            #expect(first.seen.isDone != streamed)
            let second = try await bench.pay(streamed: streamed)
            #expect(second.seen.status == 503)
            #expect(second.seen.code == "ledger_unavailable")
            #expect(second.headers["retry-after"] == "1")
            #expect(try await bench.calls == [1])
            #expect(try await bench.books().storeFailure?.contains("no room on the shelf") == true)
            try await bench.metrics(until: "gateway_ledger_store_failing 1\n")
            // It comes back, and nothing was lost.
            shelf.fails = false
            await bench.gateway.storeBooks()
            try await until { try await bench.pay(streamed: streamed).seen.status == 200 }
            #expect(shelf.postings.filter { $0.kind == .settled }.count == 2)
        }
    }

    @Test func `calls go on without a store where the file says so`() async throws {
        try await withStore(", file: none, failsOpen: true") { bench, shelf in
            shelf.fails = true
            for _ in 0..<2 {
                let paid = try await bench.pay()
                #expect(paid.seen.isDone)
            }
            shelf.fails = false
            while shelf.postings.filter({ $0.kind == .settled }).count < 2 { await bench.gateway.storeBooks() }
        }
    }

    @Test func `a gateway that starts again knows what was spent`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withBench(replicas: 1) { bench in
            let yaml = """
                upstreams: { r1: { url: "http://127.0.0.1:\(bench.fleet.replicas[0])" } }
                models: { chat: { targets: [{ upstream: r1, model: fake-7b }] } }
                \(Purse.yaml("{ hardDollars: 200, per: total }", ledger: ", file: ledger.sqlite"))
                """
            let configuration = try Configuration(yaml: yaml, file: folder.appending(path: "gateway.yaml").path)
            let file = try #require(configuration.spending?.ledger.file)
            #expect(file == folder.appending(path: "ledger.sqlite").path)
            var spent = Money.zero
            for status: UInt in [200, 402] {
                let store = try await SQLiteLedgerStore(file)
                try await withGateway(yaml, store: store) { gateway, port in
                    let gate = Bench(fleet: bench.fleet, gateway: gateway, port: port)
                    if spent != .zero { #expect(try await gate.books().spent("tenant:acme") == spent) }
                    var paid = try await gate.pay()
                    while status == 200, paid.seen.status == 200 {
                        spent += paid.cost ?? .zero
                        paid = try await gate.pay()
                    }
                    #expect(paid.seen.status == 402)
                    #expect(paid.message.contains("has \(Money.dollars(200) - spent) left"))
                    await gateway.storeBooks()
                }
                try await store.close()
            }
            #expect(spent > .zero)
        }
    }
}
