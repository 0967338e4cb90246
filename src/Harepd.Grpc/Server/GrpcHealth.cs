using Harepd.Wire.Health;
using Microsoft.AspNetCore.Routing;

namespace Harepd.Grpc;

/// <summary>
/// The health service that gRPC tools ask for (grpc/grpc doc/health-checking.md). Watch is answered Unimplemented, which its clients read as
/// "no health checking": a stream held open would cost a slot for ever.
/// </summary>
public static class GrpcHealth
{
    /// <summary>The method on the wire.</summary>
    public static GrpcMethod<HealthCheckRequest, HealthCheckResponse> Check { get; } =
        new("grpc.health.v1.Health", "Check", HealthCheckRequest.Parser, HealthCheckResponse.Parser);

    /// <summary>
    /// Serves the check. <paramref name="isServing"/> is asked with a service's name, empty for the whole server; null says that there is no such
    /// service, which is answered NotFound. It must answer from memory.
    /// </summary>
    public static void MapGrpcHealth(this IEndpointRouteBuilder endpoints, Func<string, bool?> isServing, GrpcServerOptions options) =>
        endpoints.MapGrpcUnary(
            Check,
            (request, _) => isServing(request.Service) switch
            {
                true => ValueTask.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving }),
                false => ValueTask.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.NotServing }),
                null => throw new GrpcException(GrpcStatusCode.NotFound, "no such service"),
            },
            options);
}
