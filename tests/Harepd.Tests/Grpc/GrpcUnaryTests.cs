using System.Net;
using Harepd.Grpc;
using Harepd.Wire.Health;
using Harepd.Wire.Models;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>Our client against our server, and raw requests where our client would get in the way.</summary>
public sealed class GrpcUnaryTests
{
    private const string Address = "127.10.1.1";

    [Fact]
    public async Task A_call_is_answered()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var channel = Calls.Open(host.EndPoint);

        var answer = await channel.AskAsync("echo", 42);

        Assert.Equal(new IKnow { Ip = "127.0.0.9", NodeId = 42, NodeName = "echo", Master = { "127.0.0.1" }, Slaves = { "a", "b" } }, answer);
    }

    [Fact]
    public async Task A_status_and_its_message_travel_whatever_the_alphabet()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var channel = Calls.Open(host.EndPoint);

        var failure = await channel.FailAsync("error");

        Assert.Equal((GrpcStatusCode.FailedPrecondition, Calls.Odd), (failure.Code, failure.Detail));
    }

    [Fact]
    public async Task A_fault_of_the_handler_is_told_to_the_house_and_not_to_the_caller()
    {
        var faults = new List<string>();
        await using var host = await Calls.ServeAsync(
            Address, Calls.ByNameAsync, new GrpcServerOptions { OnFault = (path, fault) => faults.Add($"{path} {fault.Message}") });
        using var channel = Calls.Open(host.EndPoint);

        var failure = await channel.FailAsync("fault");

        Assert.Equal((GrpcStatusCode.Unknown, "unexpected failure"), (failure.Code, failure.Detail));
        Assert.Equal(["/models.ClusterInfo/GetClusterInfo a secret path /var/run/x"], faults);
    }

    [Fact]
    public async Task The_caller_gets_its_deadline_from_a_server_that_never_answers()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var channel = Calls.Open(host.EndPoint);
        await channel.AskAsync("warm");

        Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await channel.FailAsync("slow", deadline: TimeSpan.FromMilliseconds(100))).Code);
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await channel.FailAsync("echo", deadline: TimeSpan.Zero)).Code);
    }

    [Fact]
    public async Task The_server_answers_at_the_deadline_while_its_handler_runs_on_and_the_late_answer_is_lost()
    {
        var release = new TaskCompletionSource();
        var isDone = new TaskCompletionSource();
        await using var host = await Calls.ServeAsync(Address, async (_, _) =>
        {
            await release.Task;
            isDone.SetResult();
            return new IKnow { Ip = "late" };
        });
        using var http = new RawHttp2();

        // The raw client has no deadline of its own, so the answer can only be the server's.
        using var response = await http.PostAsync(host.EndPoint, RawHttp2.Frame(new WhatYouKnow()), ("grpc-timeout", "50m"));

        Assert.Equal("4", await RawHttp2.StatusAsync(response));
        release.SetResult();
        await isDone.Task.WaitAsync(Calls.Patience);
    }

    [Fact]
    public async Task A_handler_that_ignores_its_deadline_keeps_its_slot_until_it_ends()
    {
        var release = new TaskCompletionSource();
        await using var host = await Calls.ServeAsync(
            Address,
            async (request, _) =>
            {
                if (request.NodeName == "wait")
                {
                    await release.Task;
                }

                return new IKnow();
            },
            new GrpcServerOptions { MaxConcurrentCalls = 1 });
        using var channel = Calls.Open(host.EndPoint);

        Assert.Equal(GrpcStatusCode.DeadlineExceeded, (await channel.FailAsync("wait", deadline: TimeSpan.FromMilliseconds(200))).Code);
        Assert.Equal(GrpcStatusCode.ResourceExhausted, (await channel.FailAsync("echo")).Code);
        release.SetResult();
        await WaitFor.TrueAsync(async () =>
        {
            try
            {
                await channel.AskAsync("echo");
                return true;
            }
            catch (GrpcException busy) when (busy.Code == GrpcStatusCode.ResourceExhausted)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task The_callers_token_ends_the_call_on_both_sides()
    {
        var begun = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using var host = await Calls.ServeAsync(Address, async (_, call) =>
        {
            using var registration = call.Cancelled.Register(ended.SetResult);
            begun.SetResult();
            await Task.Delay(Calls.Patience, call.Cancelled);
            return new IKnow();
        });
        using var channel = Calls.Open(host.EndPoint);
        using var giveUp = new CancellationTokenSource();

        var call = channel.CallAsync(Calls.Ask, new WhatYouKnow(), Calls.Patience, giveUp.Token);
        await begun.Task.WaitAsync(Calls.Patience);
        await giveUp.CancelAsync();

        Assert.Equal(GrpcStatusCode.Cancelled, (await Assert.ThrowsAsync<GrpcException>(() => call)).Code);
        await ended.Task.WaitAsync(Calls.Patience);
    }

    [Fact]
    public async Task Unknown_methods_and_services_are_unimplemented()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var channel = Calls.Open(host.EndPoint);

        foreach (var method in new[] { Calls.Ask with { Name = "GetNothing" }, Calls.Ask with { Service = "no.Such" }, Calls.Ask with { Name = "getclusterinfo" } })
        {
            var failure = await Assert.ThrowsAsync<GrpcException>(() => channel.CallAsync(method, new WhatYouKnow(), Calls.Patience, default));
            Assert.Equal(GrpcStatusCode.Unimplemented, failure.Code);
        }
    }

    [Fact]
    public async Task Health_is_told_by_service()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var channel = Calls.Open(host.EndPoint);

        Task<HealthCheckResponse> CheckAsync(string service) =>
            channel.CallAsync(GrpcHealth.Check, new HealthCheckRequest { Service = service }, Calls.Patience, default);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await CheckAsync("")).Status);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, (await CheckAsync("down")).Status);
        Assert.Equal(GrpcStatusCode.NotFound, (await Assert.ThrowsAsync<GrpcException>(() => CheckAsync("else"))).Code);
    }

    [Fact]
    public async Task The_handler_sees_where_the_call_comes_from()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var channel = Calls.Open(host.EndPoint, new GrpcChannelOptions { LocalAddress = IPAddress.Parse("127.10.1.77"), ConnectTimeout = Calls.Patience });

        Assert.Equal(("127.10.1.77", "none"), ((await channel.AskAsync("peer")).Ip, (await channel.AskAsync("peer")).Witness));
    }

    [Fact]
    public async Task Two_hundred_calls_at_once_share_one_connection()
    {
        var ports = new System.Collections.Concurrent.ConcurrentDictionary<int, bool>();
        await using var host = await Calls.ServeAsync(Address, (request, call) =>
        {
            ports[call.Peer!.Port] = true;
            return Calls.ByNameAsync(request, call);
        });
        using var channel = Calls.Open(host.EndPoint);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(id => channel.AskAsync("echo", id)));

        Assert.Equal(Enumerable.Range(0, 200), answers.Select(answer => answer.NodeId));
        Assert.Single(ports);
    }

    [Fact]
    public async Task A_server_that_comes_back_is_reached_again()
    {
        var first = await Calls.ServeAsync(Address, Calls.ByNameAsync);
        using var channel = Calls.Open(first.EndPoint);
        await channel.AskAsync("echo");

        await first.DisposeAsync();
        Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("echo")).Code);
        await using var second = await GrpcHost.StartAsync(
            first.EndPoint, new GrpcListenOptions(), endpoints => endpoints.MapGrpcUnary(Calls.Ask, Calls.ByNameAsync, new GrpcServerOptions()), default);

        Assert.Equal("back", (await channel.AskAsync("back")).NodeName);
    }

    [Fact]
    public async Task Calls_go_over_ipv6_too()
    {
        if (!System.Net.Sockets.Socket.OSSupportsIPv6)
        {
            return;
        }

        await using var host = await Calls.ServeAsync("::1", Calls.ByNameAsync);
        using var channel = Calls.Open(host.EndPoint);

        Assert.Equal("::1", (await channel.AskAsync("peer")).Ip);
    }

    [Fact]
    public async Task An_address_in_use_is_an_error_at_start()
    {
        await using var host = await Calls.ServeAsync(Address, Calls.ByNameAsync);

        await Assert.ThrowsAsync<IOException>(() => GrpcHost.StartAsync(host.EndPoint, new GrpcListenOptions(), _ => { }, default));
    }
}
