import AsyncHTTPClient
import Foundation
import NIOCore
import Spillway
import SpillwayHTTPClient
import Testing

@testable import Assistant
@testable import FakeFleet

/// The whole ladder against real servers, whose ports are closed one after the other.
@Suite(.timeLimit(.minutes(5))) struct AssistantTests {
    /// With the default client a port where nobody listens would be tried until the tier's time is over.
    static let http = HTTPClient(configuration: .underPolicy)
    static let passages = Passages(["A spillway lets water pass.\n\nBreakers open when calls fail."])

    @Test func goesDownTheLadderStepByStep() async throws {
        try await withFleet { ports in
            let ladder = try Self.ladder(ports)
            let best = try await ladder.answer("Why do turbines need guide vanes?", for: "acme")
            #expect(best.mode?.tier == "premium" && best.steps.isEmpty && !best.text.isEmpty)
            // Nobody listens at port 1.
            let second = try Self.ladder([1, ports[1]])
            let shorter = try await second.answer("Why do turbines need guide vanes?", for: "acme")
            #expect(shorter.mode?.tier == "compact" && shorter.steps.first?.description.hasPrefix("premium: ") == true)
        }
    }

    @Test func answersWithoutAnyModel() async throws {
        let ladder = try Self.ladder([1, 1])
        let found = try await ladder.answer("When do breakers open?", for: "acme")
        #expect(found.text == "Breakers open when calls fail." && found.mode?.tier == "retrieval")
        let later = try await ladder.answer("What does tomorrow bring?", for: "acme")
        #expect(later.mode?.tier == "later")
        let id = try #require(JobID(later.text))
        #expect(try await ladder.jobs.job(id, tenant: "acme")?.state == .queued(ahead: 0))
        #expect(try await ladder.jobs.job(id, tenant: "another") == nil)
    }

    @Test func givesAnAnswerThatItGaveBefore() async throws {
        let question = "What does tomorrow bring?"
        try await withFleet { ports in
            let ladder = try Self.ladder(ports, dollars: 0)
            #expect(try await ladder.answer(question, for: "acme").mode?.tier == "later", "no money for a model")
            let rich = try Self.ladder(ports)
            let first = try await rich.answer(question, for: "acme")
            for tier in rich.router.tiers where tier.kind == .model { #expect(tier.name != "cached") }
            try rich.ledger.update(
                limits: [SpendLimit(.tenant("assistant"), hard: .zero, per: .day)], at: SystemTime().now)
            let again = try await rich.answer(question, for: "acme")
            #expect(again.text == first.text && again.mode?.tier == "cached" && again.mode?.reason == .noAnswer)
            #expect(try await rich.answer(question, for: "another").mode?.tier == "later", "never across tenants")
        }
    }

    @Test func doesLaterWhatItPutOff() async throws {
        let store = MemoryJobStore(), question = "What does tomorrow bring?"
        let down = try Self.ladder([1, 1], store: store)
        let id = try #require(JobID(try await down.answer(question, for: "acme").text))
        try await withFleet { ports in
            let well = try Self.ladder(ports, store: store)
            let work = Task { try await well.work() }
            defer { work.cancel() }
            for try await job in well.jobs.changes(of: id, tenant: "acme") where job.state.isEnded {
                guard case .done(let text) = job.state else { return #expect(Bool(false), "\(job.state)") }
                #expect(!text.isEmpty)
            }
        }
    }

    private static func ladder(
        _ ports: [Int], dollars: Int = 10, store: any JobStore = MemoryJobStore()
    ) throws -> Ladder {
        let urls = zip(["large", "small"], ports).map { ($0, "http://127.0.0.1:\($1)/v1") }
        return try Ladder(
            urls: Dictionary(uniqueKeysWithValues: urls), model: "fake-7b", dollars: dollars, passages: passages,
            store: store, http: http)
    }

    /// Runs `body` with the ports of two replicas.
    private func withFleet(_ body: ([Int]) async throws -> Void) async throws {
        let options = try FleetOptions.parse(["--port=0", "--replicas=2", "--speed=1000"])
        let (stream, announce) = AsyncStream.makeStream(of: FleetServer.Addresses.self)
        let serving = Task {
            defer { announce.finish() }
            try await FleetServer(options).run { announce.yield($0) }
        }
        defer { serving.cancel() }
        for await fleet in stream {
            try await body(fleet.replicas)
            serving.cancel()
            _ = await serving.result
            return
        }
        try await serving.value
    }
}
