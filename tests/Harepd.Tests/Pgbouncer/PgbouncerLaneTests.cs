using Harepd.Core.Model;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Xunit;
using static Harepd.Tests.Pgbouncer.PgbouncerLab;

namespace Harepd.Tests.Pgbouncer;

/// <summary>One lane against a real PgBouncer in session mode, whose clients are what counts.</summary>
public sealed class PgbouncerLaneTests(PgbouncerLab lab) : IClassFixture<PgbouncerLab>
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Clients_reach_the_writer_and_follow_it_and_none_stays_pooled_on_the_old_one()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(There, 1));
        await steered.SaysAsync($"points at {There}");
        using var session = await lab.LoginAsync();
        Assert.Equal(There, await WhereAsync(session));

        steered.Point(lab.Place(Here, 2));
        await steered.SaysAsync($"points at {Here}");

        Assert.Equal(Here, await lab.FreshAsync());
        await Assert.ThrowsAnyAsync<Exception>(() => WhereAsync(session));
        Assert.DoesNotContain(There, await lab.Bouncer.CommandAsync("SHOW SERVERS"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_comes_while_nobody_is_the_writer_waits_for_the_next_one()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(There, 1));
        await steered.SaysAsync($"points at {There}");
        steered.Point(null, term: 1);
        await lab.AwaitPausedAsync();

        var waiting = lab.FreshAsync();
        await Wait.UntilAsync(
            async () => (await lab.Bouncer.CommandAsync("SHOW CLIENTS")).Split('\n').Any(line => line.StartsWith("C|app|app|waiting", StringComparison.Ordinal)),
            "the client to wait",
            detail: () => lab.Bouncer.Log);
        steered.Point(lab.Place(Here, 2));

        Assert.Equal(Here, await waiting);
    }

    [Fact]
    public async Task Silence_about_another_server_lets_new_clients_wait_and_leaves_its_sessions()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(There, 1));
        await steered.SaysAsync($"points at {There}");
        using var session = await lab.LoginAsync();
        await WhereAsync(session);

        steered.Point(null, term: 1);
        await steered.SaysAsync("no writer is known");
        Assert.Equal(There, await WhereAsync(session));
        steered.Point(lab.Place(There, 1));
        await steered.SaysAsync($"points at {There}");

        Assert.Equal(There, await WhereAsync(session));
    }

    [Fact]
    public async Task A_fence_ends_what_is_pooled_towards_this_server_and_no_place_of_its_term_is_taken_again()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(Here, 3));
        await steered.SaysAsync($"points at {Here}");
        using var session = await lab.LoginAsync();
        await WhereAsync(session);

        steered.Lane.Cut();
        await steered.SaysAsync("no writer is known");

        await Assert.ThrowsAnyAsync<Exception>(() => WhereAsync(session));
        Assert.DoesNotContain($"|{Here}|", await lab.Bouncer.CommandAsync("SHOW SERVERS"), StringComparison.Ordinal);
        steered.Point(lab.Place(Here, 3));
        steered.Point(lab.Place(There, 2));
        Assert.True(await lab.Bouncer.IsPausedAsync("app"));
        steered.Point(lab.Place(Here, 4));
        await steered.SaysAsync($"points at {Here}");
    }

    [Fact]
    public async Task This_server_is_not_named_without_a_live_lease()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(There, 1));
        await steered.SaysAsync($"points at {There}");
        lab.Lease = Instant.Zero;

        steered.Point(lab.Place(Here, 2));

        Assert.False((await steered.SaysAsync("the lease is over")).Ok);
        Assert.True(await lab.Bouncer.IsPausedAsync("app"));
        Assert.Equal($"{There}:{lab.Port}", await lab.Bouncer.PlaceAsync("app"));
        lab.Lease = Instant.Forever;
        await steered.SaysAsync($"points at {Here}");
    }

    [Fact]
    public async Task A_restart_of_pgbouncer_is_seen_and_its_state_put_right()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(Here, 1));
        await steered.SaysAsync($"points at {Here}");
        steered.Point(null, term: 1);
        await lab.AwaitPausedAsync();

        await lab.Bouncer.StopAsync();
        Assert.False((await steered.SaysAsync("nobody listens")).Ok);
        steered.Point(lab.Place(There, 2));
        await lab.Bouncer.StartAsync();

        await steered.SaysAsync($"points at {There}");
        Assert.Equal(There, await lab.FreshAsync());
    }

    [Fact]
    public async Task An_operators_pause_is_left_alone_until_the_writer_moves()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(There, 1));
        await steered.SaysAsync($"points at {There}");

        await lab.Bouncer.CommandAsync("PAUSE app");
        await steered.SaysAsync("an operator keeps out app");
        Assert.True(await lab.Bouncer.IsPausedAsync("app"));

        steered.Point(lab.Place(Here, 2));
        await steered.SaysAsync($"points at {Here}");
        await lab.AwaitPausedAsync(isPaused: false);
    }

    [Fact]
    public async Task A_hold_ends_when_it_is_released_and_by_itself_at_its_deadline()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(Here, 1));
        await steered.SaysAsync($"points at {Here}");

        steered.Hold(1, Long);
        await steered.SaysAsync("held");
        await lab.AwaitPausedAsync();
        steered.Lane.Hold(null);
        await lab.AwaitPausedAsync(isPaused: false);
        await steered.SaysAsync($"points at {Here}");

        steered.Hold(1, TimeSpan.FromSeconds(1));
        await steered.SaysAsync("held");
        var waiting = lab.FreshAsync();
        Assert.Equal(Here, await waiting);
        await lab.AwaitPausedAsync(isPaused: false);
    }

    [Fact]
    public async Task A_hold_of_another_term_holds_nobody()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(Here, 2));
        steered.Hold(1, Long);

        await steered.SaysAsync($"points at {Here}");
        Assert.False(await lab.Bouncer.IsPausedAsync("app"));
    }

    [Fact]
    public async Task What_a_run_that_died_left_paused_is_served_by_the_next_one()
    {
        using (var died = lab.Steer())
        {
            died.Point(lab.Place(Here, 1));
            await died.SaysAsync($"points at {Here}");
            died.Hold(1, Long);
            await died.SaysAsync("held");
        }

        Assert.True(await lab.Bouncer.IsPausedAsync("app"));
        using var next = lab.Steer();
        next.Point(lab.Place(Here, 1));

        await next.SaysAsync($"points at {Here}");
        await lab.AwaitPausedAsync(isPaused: false);
    }

    [Fact]
    public async Task Whoever_stops_steering_leaves_nobody_waiting()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(Here, 1));
        await steered.SaysAsync($"points at {Here}");
        steered.Point(null, term: 1);
        await lab.AwaitPausedAsync();

        steered.Lane.LetGo();

        await lab.AwaitPausedAsync(isPaused: false);
    }

    [Fact]
    public async Task The_file_is_rewritten_when_somebody_changes_it()
    {
        using var steered = lab.Steer();
        steered.Point(lab.Place(Here, 1));
        await steered.SaysAsync($"points at {Here}");
        var written = await File.ReadAllTextAsync(lab.Bouncer.IncludeFile);
        Assert.Contains($"app = host={Here} port={lab.Port} pool_size=5\n", written, StringComparison.Ordinal);

        await File.WriteAllTextAsync(lab.Bouncer.IncludeFile, $"[databases]\napp = host={There} port={lab.Port}\n");

        await Wait.UntilAsync(async () => await File.ReadAllTextAsync(lab.Bouncer.IncludeFile) == written, "the file to be put right");
    }

    [Fact]
    public async Task A_pgbouncer_that_does_not_include_the_file_is_told_so()
    {
        await using var folder = LabFolder.Create();
        var deaf = new PgbouncerServer(folder, "deaf", folder.AddressOf(1), includes: false);
        await deaf.StartAsync();
        using var steered = lab.Steer(deaf);

        steered.Point(lab.Place(Here, 1));

        Assert.False((await steered.SaysAsync($"%include {deaf.IncludeFile}")).Ok);
    }
}
