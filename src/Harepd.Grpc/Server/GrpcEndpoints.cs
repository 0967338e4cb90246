using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Harepd.Grpc;

/// <summary>Hangs gRPC methods into ASP.NET Core's routing.</summary>
public static class GrpcEndpoints
{
    /// <summary>
    /// Serves a unary method. The handler must not block its thread; it may throw <see cref="GrpcException"/> to answer with a status.
    /// Its token is cancelled at the deadline, and the caller is answered then even if the handler runs on.
    /// </summary>
    public static IEndpointConventionBuilder MapGrpcUnary<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        GrpcMethod<TRequest, TResponse> method,
        Func<TRequest, GrpcServerCall, ValueTask<TResponse>> handler,
        GrpcServerOptions options)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var endpoint = new UnaryEndpoint<TRequest, TResponse>(method, handler, options);
        return endpoints.MapPost(method.Path, new RequestDelegate(endpoint.ServeAsync));
    }

    /// <summary>Answers every other gRPC request with Unimplemented, and what is not gRPC with a plain HTTP error.</summary>
    public static void MapGrpcUnimplemented(this IEndpointRouteBuilder endpoints) =>
        endpoints.Map("/{**path}", new RequestDelegate(RefuseAsync)).WithOrder(int.MaxValue);

    private static Task RefuseAsync(HttpContext context)
    {
        if (GrpcResponse.IsGrpcRequest(context))
        {
            GrpcResponse.Fail(context, GrpcStatusCode.Unimplemented, "no such method here");
        }

        return Task.CompletedTask;
    }
}
