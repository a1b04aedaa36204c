import Foundation
import Hummingbird
import NIOCore
import Spillway
import SpillwayHTTPClient

extension Gateway {
    /// The fleets, in the order of the file.
    private var fleets: [Fleet] { upstreams.compactMap(\.fleet) }

    /// Keeps all fleets informed until the task is cancelled; returns at once where there are none.
    func watch() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for watch in watches { group.addTask { try await watch.run() } }
            for upstream in upstreams {
                guard let interval = upstream.capacity?.interval else { continue }
                group.addTask {
                    while !Task.isCancelled {
                        upstream.advice(at: SystemTime().now)
                        try? await SystemTime().sleep(for: interval)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// The endpoints of fleets.
    func addFleets(to router: Router<GatewayContext>) {
        router.get("v1/fleet") { request, _ in
            try self.checkOperator(request)
            let page = FleetPage(self.upstreams, at: SystemTime().now)
            return request.headers.wantsHTML ? FleetHTML(page: page).response : try Self.page(page)
        }
        router.post("v1/fleet/{fleet}/{replica}/drain") { request, context in
            try self.checkMayChange(request)
            let (fleet, health) = try self.named(context)
            let patience = try await Self.patience(request)
            let now = SystemTime().now
            health.drain(deadline: now.advanced(by: patience), at: now)
            return try Self.member(health.name, of: fleet)
        }
        router.post("v1/fleet/{fleet}/{replica}/undrain") { request, context in
            try self.checkMayChange(request)
            let (fleet, health) = try self.named(context)
            health.undrain(at: SystemTime().now)
            return try Self.member(health.name, of: fleet)
        }
    }

    /// Checks that it is the operator who asks, where the file names keys.
    func checkOperator(_ request: Request) throws {
        try treasury?.checkOperator(request.headers)
        guard !fleets.isEmpty else { throw APIError(.notFound, "There is no fleet", code: "no_fleet") }
    }

    /// The fleet and the replica that a path names.
    private func named(_ context: GatewayContext) throws -> (Fleet, ReplicaHealth) {
        let name = try Self.text("fleet", of: context), replica = try Self.text("replica", of: context)
        guard let fleet = fleets.first(where: { $0.name == name }),
            fleet.members.contains(where: { $0.name == replica })
        else { throw APIError(.notFound, "There is no replica '\(replica)' of '\(name)'", code: "no_replica") }
        guard let health = fleet.health(of: replica) else {
            throw APIError(.conflict, "The fleet '\(name)' has no health checks", code: "no_health_checks")
        }
        return (fleet, health)
    }

    /// A part of the path as text: names of replicas may have strokes, brackets and any letters.
    private static func text(_ parameter: String, of context: GatewayContext) throws -> String {
        let part = try context.parameters.require(parameter)
        return part.removingPercentEncoding ?? part
    }

    /// How long what runs may go on, as the body says; 30 s by default.
    private static func patience(_ request: Request) async throws -> Duration {
        struct Body: Decodable { var seconds: Double? }
        let body = try await request.body.collect(upTo: 1 << 10)
        guard body.readableBytes > 0 else { return .seconds(30) }
        let seconds = try? JSONDecoder().decode(Body.self, from: Data(body.readableBytesView)).seconds ?? 30
        guard let seconds, (0...86_400).contains(seconds) else {
            throw APIError(.badRequest, "seconds: must be a number from 0 to 86400", param: "seconds")
        }
        return .seconds(seconds)
    }

    private static func member(_ name: String, of fleet: Fleet) throws -> Response {
        try page(FleetPage.Fleet(fleet, nil, at: SystemTime().now).members.first { $0.name == name })
    }

    private static func page(_ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Response(
            status: .ok, headers: [.contentType: "application/json", .vary: "accept"],
            body: .init(byteBuffer: ByteBuffer(data: try encoder.encode(value))))
    }
}

extension HTTPFields {
    /// Whether it is a browser that asks: it names HTML, where others take anything.
    fileprivate var wantsHTML: Bool {
        self[values: .accept].contains { $0.lowercased().contains("text/html") }
    }
}
