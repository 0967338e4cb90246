using Harepd.Core.Model;
using Harepd.Postgres.Hba;
using Xunit;

namespace Harepd.Tests.Hba;

public sealed class HbaExemptionTests
{
    private static string[] Narrow(string file, IHbaSource? source = null) =>
        [.. file.With(HbaSamples.Policy, Gate.Fenced, source: source).Split('\n')
            .SkipWhile(line => !line.StartsWith("host haro", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.StartsWith("host all all all reject", StringComparison.Ordinal))
            .Select(line => line.Replace(HbaBlock.Tag, "", StringComparison.Ordinal))];

    [Theory]
    [InlineData("host all all 10.0.0.0/8 md5", "host all repmgr,harepd 10.0.0.0/8 md5")]
    [InlineData("hostssl  \"my db\",x  repmgr  10.0.0.0 255.0.0.0  ldap ldapserver=\"a b\"  # c", "hostssl \"my db\",x repmgr 10.0.0.0 255.0.0.0  ldap ldapserver=\"a b\"")]
    [InlineData("host all app,harepd 10.0.0.0/8 md5", "host all harepd 10.0.0.0/8 md5")]
    [InlineData("host sameuser \"repmgr\" all md5", "host sameuser repmgr all md5")]
    [InlineData("host replication repmgr 10.0.0.0/8 trust", "host replication repmgr 10.0.0.0/8 trust")]
    [InlineData("host all repmgr 10.0.0.9/32 reject", "host all repmgr 10.0.0.9/32 reject")]
    [InlineData("host all \\\n all 10.0.0.0/8 \\\n md5", "host all repmgr,harepd 10.0.0.0/8  md5")]
    public void The_operators_rule_is_copied_for_the_exempt_user_alone(string rule, string copy) => Assert.Equal([copy], Narrow(rule + "\n"));

    [Theory]
    [InlineData("local all all peer")]
    [InlineData("host all app 10.0.0.0/8 md5")]
    [InlineData("host all \"all\" 10.0.0.0/8 md5")]
    [InlineData("# host all all all md5")]
    [InlineData("host all repmgr")]
    [InlineData("host all all 10.0.0.0/8 ldap \"never closed")]
    public void A_rule_that_does_not_name_an_exempt_user_is_not_copied(string rule) => Assert.Empty(Narrow(rule + "\n"));

    [Fact]
    public void The_order_stays_and_nothing_is_said_twice() => Assert.Equal(
        ["host all repmgr 10.0.0.9/32 reject", "host all repmgr,harepd 10.0.0.0/8 md5"],
        Narrow("host all repmgr 10.0.0.9/32 reject\nhost all all 10.0.0.0/8 md5\nhost all all 10.0.0.0/8 md5\n"));

    [Fact]
    public void A_group_or_a_pattern_is_never_widened()
    {
        const string file = "host all +staff 10.0.0.0/8 md5\nhost all /^rep 10.0.0.0/8 md5\nhost all +banned all reject\nhost all +staff,repmgr 10.0.0.0/8 md5\n";

        var edit = file.Edit(HbaSamples.Policy, Gate.Fenced);

        Assert.Equal(["host all +banned all reject", "host all repmgr 10.0.0.0/8 md5"], Narrow(file));
        Assert.Equal(2, edit.Notes.Count);
    }

    [Fact]
    public void Names_in_files_are_read()
    {
        var source = new HbaSamples.Files(new(StringComparer.Ordinal)
        {
            ["/etc/pg/admins"] = "alice\n@more\n",
            ["/etc/pg/more"] = "bob, repmgr # the last\n",
            ["/etc/pg/self"] = "@self\n",
        });

        Assert.Equal(
            ["host @dbs repmgr 10.0.0.0/8 md5"],
            Narrow("host @dbs @admins 10.0.0.0/8 md5\nhost all @missing all md5\nhost all @self all md5\n", source));
    }

    [Fact]
    public void Included_files_are_followed_in_order()
    {
        var source = new HbaSamples.Files(new(StringComparer.Ordinal)
        {
            ["/etc/pg/sub/own.conf"] = "host @dbs,\"x y\" repmgr 10.1.0.0/16 md5\ninclude own.conf\n",
            ["/etc/pg/dir/b.conf"] = "host b repmgr 10.3.0.0/16 md5\n",
            ["/etc/pg/dir/a.conf"] = "host a repmgr 10.2.0.0/16 md5\n",
            ["/etc/pg/dir/.hidden.conf"] = "host h repmgr 10.2.0.0/16 md5\n",
            ["/etc/pg/dir/notes.txt"] = "host n repmgr 10.2.0.0/16 md5\n",
        });

        Assert.Equal(
            ["host @\"/etc/pg/sub/dbs\",\"x y\" repmgr 10.1.0.0/16 md5", "host a repmgr 10.2.0.0/16 md5", "host b repmgr 10.3.0.0/16 md5", "host z repmgr 10.4.0.0/16 md5"],
            Narrow("include sub/own.conf\ninclude_if_exists nowhere\ninclude_dir dir\nhost z repmgr 10.4.0.0/16 md5\n", source));
    }

    [Fact]
    public void Without_exempt_users_everybody_is_rejected()
    {
        var text = "host all all all md5\n".With(HbaSamples.Policy with { ExemptUsers = [] }, Gate.Fenced);

        Assert.Equal(
            "# >>> harepd node_1 term=7 gate=fenced do not edit\nhost harw harw 10.21.57.65/32 reject\nhost haro haro 10.21.57.65/32 reject\n"
            + "host all all all reject # harepd fence\n# <<< harepd\nhost all all all md5\n",
            text);
    }
}
