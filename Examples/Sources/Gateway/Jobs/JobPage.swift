import Foundation
import Hummingbird
import NIOCore
import Spillway

/// A job as its owner sees it.
struct JobPage {
    let job: Job

    /// The page of a job.
    init(_ job: Job) { self.job = job }

    /// Where to ask for it.
    var path: String { "/v1/jobs/\(job.id)" }

    /// One line of JSON.
    var json: ByteBuffer {
        var fields: [String: Any] = [
            "id": "\(job.id)", "object": "job", "status": "\(job.state)", "runs": job.runs,
            "created_at": job.submitted / 1_000_000_000, "expires_at": job.expires / 1_000_000_000,
            "urls": ["self": path, "events": "\(path)/events"],
        ]
        var result: [UInt8]?
        switch job.state {
        case .queued(let ahead): (fields["progress"], fields["ahead"]) = (0, ahead)
        case .running(let progress): fields["progress"] = progress
        case .done(let bytes): (fields["progress"], result) = (1, bytes)
        case .failed(let failure):
            fields["error"] = [
                "message": failure.message, "type": "job_failed", "param": NSNull(), "code": "\(failure.cause)",
            ]
        case .expired, .cancelled: break
        }
        // Texts and numbers are always valid.
        let data = try! JSONSerialization.data(
            withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes])
        guard let result else { return ByteBuffer(data: data) }
        // The answer as it came: what it says in numbers no `Double` comes near.
        var json = ByteBuffer(bytes: data.dropLast())
        json.writeString(",")
        json.writeBytes(result.dropFirst())
        return json
    }

    /// The page as it is now.
    var response: Response {
        Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: json))
    }

    /// That the job was accepted; `origin`: in which tier.
    func accepted(_ origin: Origin?) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .location: path]
        if let origin { headers = headers.naming(origin) }
        return Response(status: .accepted, headers: headers, body: .init(byteBuffer: json))
    }

    /// What is kept of an answer: it, and who gave it.
    static func result(_ answer: WholeAnswer, _ origin: Origin) -> [UInt8] {
        var served: [String: Any] = ["attempts": origin.attempts]
        served["upstream"] = origin.upstream
        served["model"] = origin.model
        served["tier"] = origin.mode?.tier
        served["level"] = origin.mode?.level
        if !origin.steps.isEmpty { served["reasons"] = origin.steps.map(\.description) }
        served["cost"] = origin.cost?.digits
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        let data = try! JSONSerialization.data(withJSONObject: served, options: options)
        return Array(#"{"response":"#.utf8) + Array(answer.body.readableBytesView) + Array(#","served":"#.utf8) + data
            + Array("}".utf8)
    }
}
