import Foundation
import Spillway
import SpillwayTesting
import Synchronization

/// One seed: 64 callers who always want more than the quota allows, for ten minutes after two of warm-up.
final class QuotaTrial: Sendable {
    /// How the callers' process treats the quota.
    enum Client: String, CaseIterable, Sendable {
        /// Retries with backoff after what the provider asks for.
        case retries = "only retries"
        /// A `Quota` in front of the same retry.
        case quota = "quota"
    }

    /// What came of one seed.
    struct Counts: Sendable {
        var served = 0
        /// Answers of status 429 that our callers got.
        var refused = 0
        /// Calls that the quota held back here, which cost the provider nothing.
        var heldBack = 0
        /// The part of the scarcer limit that all clients really used.
        var used = 0.0
    }

    private static let callers = 64
    private static let warmUp = 120.0, seconds = 600.0

    private let simulation: Simulation
    private let provider: MeteredProvider
    private let quotaCase: QuotaCase
    private let heldBack = Mutex(0)
    private let end: Instant
    /// Which of the two limits is scarcer, the seed decides: by the size of prompts.
    private let prompt: Int

    static func run(_ simulation: Simulation, _ quotaCase: QuotaCase, _ client: Client) async throws -> Counts {
        let trial = QuotaTrial(simulation, quotaCase)
        try await trial.run(client)
        return trial.counts
    }

    private init(_ simulation: Simulation, _ quotaCase: QuotaCase) {
        self.simulation = simulation
        self.quotaCase = quotaCase
        let began = MeteredProvider.seconds(simulation.time.now)
        provider = MeteredProvider(simulation, quotaCase.counting, warmUp: began + Self.warmUp)
        end = simulation.time.now.advanced(by: .seconds(Self.warmUp + Self.seconds))
        prompt = simulation.random.upTo(1) == 0 ? 800 : 200
    }

    private func run(_ client: Client) async throws {
        var tasks: [Task<Void, any Error>] = []
        for process in 0..<quotaCase.processes {
            let quota = client == .quota ? try makeQuota() : nil
            let policy = try policy(quota)
            for caller in 0..<Self.callers / quotaCase.processes {
                tasks.append(
                    simulation.start("caller \(process).\(caller)") { try await self.call(policy, quota) })
            }
        }
        if quotaCase.othersPart > 0 { tasks.append(simulation.start("another") { try await self.useAsAnother() }) }
        if quotaCase == .lie { tasks.append(simulation.start("liar") { try await self.lieOnce() }) }
        for task in tasks { try await task.value }
    }

    private func makeQuota() throws -> Quota {
        guard let part = quotaCase.configured else { return try Quota("provider/model", at: simulation.time.now) }
        return try Quota(
            "provider/model",
            .init(
                requests: .perMinute(MeteredProvider.requestsPerMinute * part),
                tokens: .perMinute(MeteredProvider.tokensPerMinute * part)), at: simulation.time.now)
    }

    private func policy(_ quota: Quota?) throws -> Policy {
        let random = simulation.random
        return try Policy("chat", time: simulation.time) { () throws(ConfigurationError) in
            try Retry(
                upTo: 6, backoff: .exponential(from: .milliseconds(500), cap: .seconds(30), jitter: .full),
                budget: .unlimited, random: random)
            if let quota { Gates(quota) }
        }
    }

    /// The provider refused.
    private struct Refused: OutcomeError {
        let outcome: Outcome
    }

    /// One caller: call after call, until the time is over.
    private func call(_ policy: Policy, _ quota: Quota?) async throws {
        let time = simulation.time, random = simulation.random
        try await time.sleep(for: .milliseconds(random.upTo(2_000)))
        while time.now < end {
            let request = MeteredProvider.Request(
                prompt: prompt / 2 + random.upTo(prompt), maxTokens: 500, answer: 20 + random.upTo(280))
            let call = Call(
                tokens: .estimate(input: request.prompt, maxOutput: request.maxTokens), idempotency: .idempotent)
            do throws(PolicyError<any Error>) {
                try await policy.run(call) { attempt in
                    let answer = try await self.provider.answer(request, from: "ours")
                    let signals = ProviderSignals(
                        .openAI, status: answer.status, headers: { answer.headers[$0] }, now: 0)
                    quota?.learn(signals, sent: attempt.started, at: time.now)
                    guard answer.status == 200 else {
                        attempt.used(Usage(requests: 0))
                        throw Refused(outcome: signals.outcome)
                    }
                    attempt.used(Usage(input: request.prompt, output: request.answer))
                }
            } catch {
                guard case .rejected(let rejection, _) = error else { continue }
                heldBack.withLock { $0 += 1 }
                // As a queue would: it asks again now and then, not all at the same moment.
                let pause = min(rejection.retryAfter ?? .seconds(1), .seconds(2))
                try await time.sleep(for: pause + .milliseconds(random.upTo(500)))
            }
        }
    }

    /// Somebody else who uses a part of the tokens evenly, and drops what is refused.
    private func useAsAnother() async throws {
        let time = simulation.time, random = simulation.random
        let tokens = 900, perSecond = MeteredProvider.tokensPerMinute / 60 * quotaCase.othersPart / Double(tokens)
        while time.now < end {
            try await time.sleep(for: .seconds(-log(1 - random.uniform()) / perSecond))
            simulation.start("other's call") {
                let request = MeteredProvider.Request(prompt: 600, maxTokens: 300, answer: 300)
                _ = try await self.provider.answer(request, from: "another")
            }
        }
    }

    /// In the middle of it one answer says that nothing is left, of a limit that is a tenth.
    private func lieOnce() async throws {
        try await simulation.time.sleep(for: .seconds(Self.warmUp + Self.seconds / 2))
        provider.lie([
            "x-ratelimit-limit-tokens": "30000", "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": "59s",
        ])
    }

    private var counts: Counts {
        let ours = provider.counts(of: "ours"), others = provider.counts(of: "another")
        let minutes = Self.seconds / 60
        let requests = (ours.requests + others.requests) / (MeteredProvider.requestsPerMinute * minutes)
        let tokens = (ours.tokens + others.tokens) / (MeteredProvider.tokensPerMinute * minutes)
        return Counts(
            served: ours.served, refused: ours.refused, heldBack: heldBack.withLock(\.self),
            used: max(requests, tokens))
    }
}
