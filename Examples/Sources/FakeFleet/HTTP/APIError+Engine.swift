import Hummingbird
import SpillwayTesting

extension APIError {
    /// What the API says when the engine refuses a request.
    init(_ refusal: EngineModel.Refusal, options: FleetOptions) {
        switch refusal {
        case .queueFull:
            self.init(
                .serviceUnavailable,
                "The engine's queue of \(options.maxQueue) requests is full",
                type: "service_unavailable",
                code: "queue_full",
                headers: [.retryAfter: "1"]
            )
        case .outOfMemory: self = .outOfMemory
        case .contextTooLong, .tooLarge, .malformed:
            self.init(.badRequest, "The engine refuses the request: \(refusal)", param: "messages")
        }
    }

    /// What PyTorch says when the GPU's memory is full.
    static let outOfMemory = APIError(
        .internalServerError,
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB of which "
            + "1.12 GiB is free.",
        type: "server_error"
    )
}
