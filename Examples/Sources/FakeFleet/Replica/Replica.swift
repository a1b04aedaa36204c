import FleetFaults
import Foundation
import Hummingbird
import SpillwayTesting

/// One replica of the fleet: an engine behind an OpenAI-compatible API.
struct Replica: Sendable {
    /// The replica's number, from 1.
    let index: Int
    let options: FleetOptions
    let engine: EngineModel.Configuration
    let clock: SimulatedClock
    let driver: EngineDriver
    let faults: FaultBoard
    let ledger: Ledger
    private let limits: RateLimits

    /// A replica with an idle engine.
    init(
        index: Int, options: FleetOptions, engine: EngineModel.Configuration, clock: SimulatedClock, faults: FaultBoard,
        ledger: Ledger
    ) {
        self.index = index
        self.options = options
        self.engine = engine
        self.clock = clock
        self.faults = faults
        self.ledger = ledger
        limits = RateLimits(options)
        driver = EngineDriver(engine, time: clock) { body in Task { await body() } }
    }

    /// The replica's endpoints.
    func router() -> Router<FleetContext> {
        let router = Router(context: FleetContext.self)
        router.middlewares.add(ErrorShape())
        router.middlewares.add(LoadReport(driver: driver))
        router.get("health") { _, _ in Response(status: .ok) }
        router.get("metrics") { _, _ in metrics() }
        router.get("v1/models") { _, _ in models() }
        router.post("v1/chat/completions") { request, context in try await chat(request, context) }
        router.post("v1/embeddings") { request, context in try await embeddings(request, context) }
        return router
    }

    private func chat(_ request: Request, _ context: FleetContext) async throws -> Response {
        let call = ledger.begin(replica: index)
        let chat = try ChatCall(await request.json(), options: options)
        let headers = try take(chat.prompt.tokens + chat.tokens, call)
        let generation = try await start(
            call, chat.prompt, chat.tokens, chat.streamed, context, isPrefilled: !chat.prefill.isEmpty)
        let answer = ChatAnswer(
            id: "chatcmpl-\(index)-\(generation.id)",
            model: chat.model,
            promptTokens: chat.prompt.tokens,
            completionTokens: generation.tokens,
            finishReason: generation.fault == .contentFilter ? "content_filter" : chat.finishReason
        )
        if chat.streamed {
            return generation.stream(answer, chat.source, includesUsage: chat.includesUsage).adding(headers)
        }
        return generation.response(answer.whole(try await generation.collect(chat.source))).adding(headers)
    }

    private func embeddings(_ request: Request, _ context: FleetContext) async throws -> Response {
        let call = ledger.begin(replica: index)
        let embedding = try EmbeddingCall(await request.json(), options: options)
        let headers = try take(embedding.prompt.tokens, call)
        let generation = try await start(call, embedding.prompt, 0, false, context)
        _ = try await generation.collect(TokenSource(seed: 0))
        let data = embedding.inputs.enumerated().map { position, input -> JSONValue in
            let vector = EmbeddingVector(input, seed: options.seed).components.map { JSONValue.number($0) }
            return ["object": "embedding", "index": .count(position), "embedding": .array(vector)]
        }
        let tokens = JSONValue.count(embedding.prompt.tokens)
        return generation.response([
            "object": "list",
            "model": .string(embedding.model),
            "data": .array(data),
            "usage": ["prompt_tokens": tokens, "total_tokens": tokens],
        ]).adding(headers)
    }

    /// Counts a call under the rate limits and returns the headers for its answer; a refusal counts as a fault.
    private func take(_ tokens: Int, _ call: Ledger.Call) throws -> HTTPFields {
        do {
            return try limits.take(tokens: tokens)
        } catch {
            ledger.record(.rateLimit, in: call)
            throw error
        }
    }

    /// Lets a fault strike, then hands the call to the engine, throwing 503 when its queue is full.
    private func start(
        _ call: Ledger.Call,
        _ prompt: Prompt,
        _ maxTokens: Int,
        _ streamed: Bool,
        _ context: FleetContext,
        isPrefilled: Bool = false
    ) async throws -> Generation {
        let client = try await context.client
        let fault = faults.draw(
            replica: index, streamed: streamed, promptTokens: prompt.tokens, isPrefilled: isPrefilled)
        if let fault {
            ledger.record(fault.kind, in: call)
            try await fault.strike(client, on: context.channel)
        }
        // An answer of one chunk, not counting its first token, breaks at its first.
        let faultChunk = maxTokens > max(2, options.tokensPerChunk) ? 2 : 1
        let breaksOff = fault?.kind == .contentFilter || fault?.kind == .lateErrorEvent
        let tokens = breaksOff ? min(maxTokens, faultChunk == 1 ? 1 : 1 + options.tokensPerChunk) : maxTokens
        let request = EngineModel.Request(
            promptTokens: prompt.tokens, promptBlocks: prompt.blocks, outputTokens: tokens)
        let (id, stream) = try submit(request, fault)
        client.watch { driver.cancel(id) }
        return Generation(
            id: id,
            tokens: tokens,
            chunks: stream,
            fault: fault?.kind,
            faultChunk: faultChunk,
            interval: .milliseconds(fault?.durationMilliseconds ?? 0),
            call: call,
            ledger: ledger,
            client: client,
            clock: clock
        )
    }

    /// Hands a request to the engine, which some faults make hang; throws what the API says to a refusal.
    private func submit(
        _ request: EngineModel.Request, _ fault: FaultRule?
    ) throws -> (id: Int, progress: AsyncStream<EngineModel.Progress>) {
        do {
            let accepted = try driver.submit(request) { engine, id in
                switch fault?.kind {
                case .stuckKernel, .slowFirstToken: engine.hang(id)
                case .stall:
                    let tokens = min(request.outputTokens - 1, 1 + options.tokensPerChunk)
                    engine.hang(id, afterTokens: tokens)
                default: break
                }
            }
            if let fault, fault.kind == .slowFirstToken {
                Task {
                    try await clock.sleep(for: .milliseconds(fault.durationMilliseconds))
                    driver.adjust { $0.resume(accepted.id) }
                }
            }
            return accepted
        } catch {
            throw APIError(error, options: options)
        }
    }

    private func metrics() -> Response {
        let page = MetricsPage(load: driver.load, engine: engine, model: options.models[0])
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: page.text))
        )
    }

    private func models() -> Response {
        let data = options.models.map { model -> JSONValue in
            [
                "id": .string(model),
                "object": "model",
                "created": .count(Int(Date().timeIntervalSince1970)),
                "owned_by": "fake-fleet",
                "max_model_len": .count(options.contextLimit),
            ]
        }
        return Response(json: ["object": "list", "data": .array(data)])
    }
}

extension Response {
    /// The same answer with more headers.
    fileprivate func adding(_ more: HTTPFields) -> Response {
        var response = self
        response.headers.append(contentsOf: more)
        return response
    }
}
