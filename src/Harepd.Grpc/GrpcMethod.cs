using Google.Protobuf;

namespace Harepd.Grpc;

/// <summary>One unary method of a service: its names on the wire, and how its two messages are read.</summary>
/// <param name="Service">Package and service, such as <c>models.ClusterInfo</c>.</param>
/// <param name="Name">The method, such as <c>GetClusterInfo</c>.</param>
/// <param name="Request">The generated parser of the request.</param>
/// <param name="Response">The generated parser of the answer.</param>
public sealed record GrpcMethod<TRequest, TResponse>(
    string Service, string Name, MessageParser<TRequest> Request, MessageParser<TResponse> Response)
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    /// <summary>The HTTP/2 path of the method; case-sensitive.</summary>
    public string Path => $"/{Service}/{Name}";
}
