import CostLedger
import Foundation
import Hummingbird
import Logging
import NIOCore
import Spillway

extension Gateway {
    /// The server, calling `ready` with its port once it listens.
    func application(
        host: String, port: Int, logger: Logger, ready: @escaping @Sendable (Int) -> Void
    ) -> some ApplicationProtocol {
        Application(
            router: router(),
            server: .http1(configuration: .init(additionalChannelHandlers: [ClientWatch()])),
            configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { ready($0.localAddress?.port ?? port) },
            logger: logger
        )
    }

    /// The endpoints.
    func router() -> Router<GatewayContext> {
        let router = Router(context: GatewayContext.self)
        router.middlewares.add(Propagation())
        router.middlewares.add(ErrorShape())
        router.get("health/live") { _, _ in Response(status: .ok) }
        router.get("health/ready") { _, _ in try self.readiness() }
        router.get("metrics") { _, _ in await self.page() }
        router.get("v1/models") { request, _ in
            _ = try self.caller(request)
            return try self.list()
        }
        router.get("v1/ledger") { request, _ in try self.books(request) }
        for kind in [ModelRequest.Kind.chat, .embeddings] {
            router.post(RouterPath(kind.path)) { request, context in
                try await self.serve(request, kind, context)
            }
        }
        addJobs(to: router)
        addFleets(to: router)
        return router
    }

    /// Checks a request and answers it; upstreams hear only of good ones.
    private func serve(
        _ request: Request, _ kind: ModelRequest.Kind, _ context: GatewayContext
    ) async throws -> Response {
        let caller = try caller(request)
        let route: Route
        let ask: ModelRequest
        let needs: Call.Needs
        let session: String?
        do {
            session = try request.headers.session()
            ask = try ModelRequest(
                await body(of: request), kind: kind,
                assumedOutput: treasury?.ledger == nil ? nil : treasury?.assumedOutput)
            route = try self.route(ask.model)
            needs = try Call.Needs(request.headers) { route.ladder?.heedsDifficulty == true ? ask.difficulty : 0 }
        } catch {
            metrics.refused("", (error as? APIError)?.status == .notFound ? "unknown_model" : "invalid_request")
            throw error
        }
        do {
            try charge(request.headers)
        } catch {
            metrics.refused(route.name, "tenant_limit")
            throw error
        }
        let tenant = caller?.tenant ?? tenantName(request.headers)
        var later: (@Sendable () async throws -> Job)?
        if jobs != nil, request.headers.wantsLater || route.ladder?.defers == true {
            let errand = try Errand(
                ask, tenant: tenant, caller: caller, session: session, needs: needs)
            // Without a key of the client's own, so that one call makes one job however often it is tried.
            let key = request.headers[.init("idempotency-key")!] ?? UUID().uuidString
            if request.headers.wantsLater {
                var response = JobPage(try await submit(errand, key: key)).accepted(nil)
                response.headers[.init("preference-applied")!] = "respond-async"
                return response
            }
            later = { try await self.submit(errand, key: key) }
        }
        let bill: Bill?
        do {
            bill = try caller.flatMap { try treasury?.bill(ask, by: route, for: $0, session: session) }
        } catch {
            metrics.refused(route.name, "too_many_keys")
            throw error
        }
        let call = UpstreamCall(
            http: http, request: ask, route: route, bill: bill, tenant: tenant, needs: needs,
            conversation: await conversation(session, of: tenant, by: route), later: later)
        return try await answer(call, to: context.client)
    }

    /// Who asks; nil: nobody wants to know.
    func caller(_ request: Request) throws -> Caller? {
        do {
            return try treasury?.caller(request.headers)
        } catch {
            metrics.refused("", "invalid_api_key")
            throw error
        }
    }

    private func body(of request: Request) async throws -> ByteBuffer {
        let limit = configuration.server.maxBodyBytes
        do {
            return try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw APIError(.contentTooLarge, "body: larger than \(limit) bytes", code: "request_too_large")
        }
    }

    private func page() async -> Response {
        let page = MetricsPage(
            counts: metrics.snapshot, upstreams: upstreams, routes: Array(routes.values), ledger: treasury?.ledger,
            jobs: try? await jobs?.counts())
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: page.text)))
    }

    private func list() throws -> Response {
        let data = models.filter { $0 != "*" }.map { ["id": $0, "object": "model", "owned_by": "spillway"] }
        let json = try JSONSerialization.data(
            withJSONObject: ["object": "list", "data": data] as [String: Any], options: [.sortedKeys])
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(data: json)))
    }
}

extension HTTPFields {
    /// Whether the client prefers to be answered later (RFC 7240).
    fileprivate var wantsLater: Bool {
        self[values: .init("prefer")!].contains { field in
            field.split(separator: ",").contains { preference in
                preference.drop(while: \.isWhitespace).lowercased().hasPrefix("respond-async")
            }
        }
    }
}
