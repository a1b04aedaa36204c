import Hummingbird
import Spillway
import SpillwayHTTPClient

/// What a call for a whole answer came to.
enum Reply: Sendable {
    /// An upstream has answered; by which of its replicas, if it has some.
    case answer(WholeAnswer, Route.Place, replica: String?)
    /// It was answered before.
    case kept(CachedAnswer<WholeAnswer>)
    /// It will be answered later.
    case ticket(Job)

    /// Who answered, in which tier.
    func origin(_ call: UpstreamCall, _ mode: ServiceMode?, _ steps: [ServiceStep]) -> Origin {
        switch self {
        case .answer(let answer, let place, let replica):
            let model = answer.model.isEmpty ? place.asked(for: call.request.model) : answer.model
            return call.origin(place.upstream.name, model, mode, steps, replica: replica)
        case .kept(let kept):
            var origin = call.origin(nil, kept.value.model.isEmpty ? nil : kept.value.model, mode, steps)
            origin.kept = (kept.origin, kept.age)
            return origin
        case .ticket: return call.origin(nil, nil, mode, steps)
        }
    }

    /// The response to the client.
    func response(to call: UpstreamCall, _ report: CallReport) -> Response {
        let origin = origin(call, report.mode, report.steps)
        switch self {
        case .answer(let answer, _, _): return Self.response(answer, origin)
        case .kept(let kept): return Self.response(kept.value, origin)
        case .ticket(let job): return JobPage(job).accepted(origin)
        }
    }

    private static func response(_ answer: WholeAnswer, _ origin: Origin) -> Response {
        let headers: HTTPFields = [.contentType: answer.contentType]
        return Response(status: .ok, headers: headers.naming(origin), body: .init(byteBuffer: answer.body))
    }
}
