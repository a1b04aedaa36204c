import AsyncHTTPClient
import CostLedger
import Spillway
import SpillwayHTTPClient

/// What is acceptable when the best answer is not to be had, said once: a large model, a small one with shorter answers, a passage
/// that was found, an answer that was given before, and at last a ticket for an answer that comes later.
struct Ladder: Sendable {
    /// An answer and where it comes from.
    typealias Answer = (text: String, mode: ServiceMode?, steps: [ServiceStep])

    let jobs: JobQueue, router: ModelRouter, ledger: Ledger
    private let policy: Policy
    private let clients: [String: ChatClient]
    private let model: String
    private let passages: Passages, cache: ExactCache<String>, checks: AnswerChecks<String>

    init(
        urls: [String: String], model: String, dollars: Int, passages: Passages, store: any JobStore,
        http: HTTPClient
    ) throws {
        let budget = try RetryBudget("extra attempts", .init(ratio: 0.2))
        let prices = try PriceBook([
            "large": Price(.init(input: .cents(90), output: .cents(90))),
            "small": Price(.init(input: .cents(20), output: .cents(20))),
        ])
        let limit = SpendLimit(.tenant("assistant"), hard: .dollars(dollars), per: .day)
        let ledger = try Ledger("assistant", prices: prices, .init(limits: [limit]))
        func priced(_ name: String, quality: Double) throws -> Model {
            let account = try ledger.account(.tenant("assistant"), .model(name), model: name)
            let breaker = try CircuitBreaker(name, .init { $0.window = .consecutive(3) })
            return try Model(name, at: name, .init(quality: quality, window: 8_000), gates: [breaker, account])
        }
        let router = try ModelRouter(
            "assistant", budget: budget,
            tiers: [
                Tier("premium", models: [priced("large", quality: 0.9)], timeout: AttemptTimeout(.seconds(20))),
                Tier(
                    "compact", models: [priced("small", quality: 0.6)], maxOutput: 200,
                    timeout: AttemptTimeout(.seconds(10))),
                Tier("retrieval", .retrieval), Tier("cached", .cache), Tier("later", .deferral),
            ])
        policy = try Policy("assistant") { () throws(ConfigurationError) in
            try Deadline(.seconds(45))
            router
        }
        // The ladder decides how often is tried: these only send.
        let bare = PolicyHTTPClient(
            http, policy: try Policy("send") { () throws(ConfigurationError) in try Deadline(.seconds(45)) })
        clients = try urls.mapValues { try ChatClient(baseURL: $0, http: bare) }
        (self.ledger, self.router, self.model, self.passages) = (ledger, router, model, passages)
        jobs = try JobQueue("assistant", store: store)
        cache = try ExactCache(.init(bytes: 64 << 20, ttl: .seconds(600), staleIfError: .seconds(86_400))) {
            $0.utf8.count
        }
        checks = try AnswerChecks([.notEmpty { $0 }])
    }

    /// Answers questions that were put off, while the best tier is well; until it is cancelled.
    func work() async throws {
        try await jobs.work(upTo: 2, when: { [router] _ in router.mode.level == 0 }) { run in
            let question = String(decoding: run.payload, as: UTF8.self)
            return Array(try await answer(question, for: run.tenant, isLater: true).text.utf8)
        }
    }

    /// Answers a question of a tenant, in whatever mode is left; one that was put off is answered by a model.
    func answer(_ question: String, for tenant: String, isLater: Bool = false) async throws -> Answer {
        let key = CacheKey(question, for: .tenant(tenant))
        let request = ChatRequest(
            model: model, messages: [ChatMessage(role: "user", content: question)], maxTokens: 800)
        var call = request.call(for: tenant)
        call.needs.difficulty = Difficulty.estimate(question)
        let (result, report) = await policy.reported(call, judge: checks.judge) { (attempt) async throws -> String in
            switch attempt.mode!.kind {
            case .model:
                var own = request
                own.maxTokens = Int(attempt.call.tokens.maxOutput)
                let completion = try await clients[attempt.target!]!.complete(own, key: tenant)
                if let usage = completion.usage { attempt.used(usage) }
                return completion.content
            case _ where isLater: throw NoAnswer()
            case .retrieval: return try passages.closest(to: question)
            case .cache:
                guard let hit = cache.lookup(key, at: SystemTime().now, allowingStale: true) else { throw NoAnswer() }
                return hit.value
            case .deferral: return try await jobs.submit(Array(question.utf8), tenant: tenant).id.description
            }
        }
        let text = try result.get()
        if report.mode?.kind == .model { cache.store(text, for: key, at: SystemTime().now) }
        return (text, report.mode, report.steps)
    }
}
