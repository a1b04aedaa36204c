import Logging
import ServiceLifecycle

extension Gateway {
    /// Serves until the process is told to stop, and then until the last stream has ended or the time for that is over.
    func serve(
        host: String, port: Int, logger: Logger, ready: @escaping @Sendable (Int) -> Void
    ) async throws {
        // The last service is the first to be told: readiness ends before the port closes, and the books are written to the
        // end when nobody calls any more.
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: BookKeeping(gateway: self)),
                .init(service: FleetWork(gateway: self)),
                .init(service: application(host: host, port: port, logger: logger, ready: ready)),
                .init(service: JobWork(gateway: self)),
                .init(service: Drain(gateway: self)),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        group.maximumGracefulShutdownDuration = configuration.server.drain
        try await ServiceGroup(configuration: group).run()
    }
}

/// Waits until all else has stopped, and then for what calls have cost to be stored.
private struct BookKeeping: Service {
    let gateway: Gateway

    /// Returns when the last posting is kept, or cannot be.
    func run() async throws {
        try? await gracefulShutdown()
        await gateway.storeBooks()
    }
}

/// Does jobs until told to stop; what is not done by then is given back for the next process.
private struct JobWork: Service {
    let gateway: Gateway

    /// Returns when all jobs are given back.
    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await gateway.work() }
        } catch {
            gateway.logger.error("jobs are not done any more: \(error)")
        }
        // Also without jobs: a service that returns stops the others.
        try? await gracefulShutdown()
    }
}

/// Keeps fleets informed until nobody calls any more.
private struct FleetWork: Service {
    let gateway: Gateway

    /// Returns when nothing is under way any more.
    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await gateway.watch() }
        } catch {
            gateway.logger.error("fleets are not watched any more: \(error)")
        }
        // Also without fleets: a service that returns stops the others.
        try? await gracefulShutdown()
    }
}

/// Waits for the order to stop, and passes it on to the gateway.
private struct Drain: Service {
    let gateway: Gateway

    /// Returns when the gateway has been told.
    func run() async throws {
        try? await gracefulShutdown()
        gateway.drain()
    }
}
