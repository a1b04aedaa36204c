import Hummingbird
import SpillwayTesting

/// Adds ORCA's `endpoint-load-metrics` header to the answers of requests that ask for it.
struct LoadReport: RouterMiddleware {
    let driver: EngineDriver

    /// Answers the request, reporting the load after the request was taken in; an unknown format gets no report.
    func handle(
        _ request: Request,
        context: FleetContext,
        next: (Request, FleetContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if let format = request.headers[.init("endpoint-load-metrics-format")!],
            let report = Self.report(driver.load, format: format)
        {
            response.headers[.init("endpoint-load-metrics")!] = report
        }
        return response
    }

    /// The header's text for a load; `nil` when `format` is neither `text` nor `json`.
    static func report(_ load: EngineModel.Load, format: String) -> String? {
        // Four decimals say enough.
        let usage = JSONValue.number((load.kvUsage * 10_000).rounded() / 10_000)
        let waiting = JSONValue.count(load.waiting)
        let preemptions = JSONValue.count(load.preemptions)
        switch format.lowercased() {
        case "text":
            return "TEXT named_metrics.kv_cache_usage_perc=\(usage.text), "
                + "named_metrics.num_preemptions_total=\(preemptions.text), "
                + "named_metrics.num_requests_waiting=\(waiting.text)"
        case "json":
            let metrics: JSONValue = [
                "named_metrics": [
                    "kv_cache_usage_perc": usage, "num_preemptions_total": preemptions, "num_requests_waiting": waiting,
                ]
            ]
            return "JSON \(metrics.text)"
        default:
            return nil
        }
    }
}
