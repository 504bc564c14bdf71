# Made by `lhp-otel hook fish`: lhp runs as ever; after a successful generate a process of its own records it.
# It leaves a function called lhp that is somebody else's alone.
if not functions -q lhp; or functions -q __lhp_otel_finish

# Reads a switch as src/decide/consent.ts does: nothing, `no` (0, false, no, off) or `yes` (anything else).
function __lhp_otel_switch
    switch (string lower -- (string trim -- "$argv[1]"))
        case ''
            echo ''
        case 0 false no off
            echo no
        case '*'
            echo yes
    end
end

# The first variable that says off, in the order of src/decide/consent.ts.
function __lhp_otel_consent
    for name in LHP_DISABLE_ANALYTICS DO_NOT_TRACK LHP_TELEMETRY OTEL_SDK_DISABLED PYTEST_CURRENT_TEST
        set -q $name; or continue
        set -l off yes
        if test $name = LHP_TELEMETRY
            test "$argv[1]" = no; and continue
            set off no
        end
        if test (__lhp_otel_switch "$$name") = $off
            echo $name
            return
        end
    end
end

# fish has no clock of its own; Linux has one that can be read without a process, in hundredths of a second.
function __lhp_otel_clock
    if test -r /proc/uptime
        read -l uptime rest </proc/uptime
        echo $uptime
    else
        command date +%s.%N
    end
end

# Shows the notice that an earlier run left, once; the one that moves the file shows it.
function __lhp_otel_show_notice
    set -l state $HOME/.local/state/lhp-otel
    string match -q -- '/*' "$XDG_STATE_HOME"; and set state $XDG_STATE_HOME/lhp-otel
    test -r $state/notice.pending; or return 1
    set -l text
    while read -l line
        string match -q -- 'lhp-otel:*' $line; and set -a text $line
    end <$state/notice.pending
    command mv $state/notice.pending $state/notice.json 2>/dev/null; or return 1
    printf '%s\n' $text >&2
end

# Through sh, so that fish has no job and no $last_pid of it.
function __lhp_otel_finish
    test -x @node@; and test -r @program@; or return
    set -l notice none
    if isatty stderr
        set notice terminal
        __lhp_otel_show_notice; and set notice shown
    end
    NODE_OPTIONS='' command sh -c '"$@" &' sh nice -n 10 @setsid@ @node@ @program@ $argv[1] $argv[2] $notice lhp $argv[3..-1] \
        </dev/null >/dev/null 2>/dev/null
end

function lhp
    set -l generate
    set -l speaks
    contains -- generate $argv; and set generate yes
    for word in -v -vv --verbose
        contains -- $word $argv; and set speaks yes
    end
    test "$LHP_OTEL_LOG" = debug; and set speaks yes
    set -l upstream
    set -q LHP_OTEL_UPSTREAM; and set upstream (__lhp_otel_switch "$LHP_OTEL_UPSTREAM")
    set -l layer (__lhp_otel_consent "$upstream")

    set -l start
    test -n "$generate" -a -z "$layer"; and set start (__lhp_otel_clock)
    if test "$upstream" = no
        LHP_TELEMETRY=off command lhp $argv
    else
        command lhp $argv
    end
    set -l ended $status
    if test -n "$start" -a $ended = 0
        __lhp_otel_finish $start (__lhp_otel_clock) $argv
    end

    if test -n "$speaks"
        set -l said 'a process of its own looks at this run now; what became of it: lhp-otel status'
        if test -z "$generate"
            set said 'this is no lhp generate: nothing recorded, no network activity'
        else if test -n "$layer"
            set said "telemetry is off ($layer): nothing recorded, no network activity"
        else if test $ended != 0
            set said "the command ended with $ended: nothing recorded, no network activity"
        end
        echo "lhp-otel: $said" >&2
    end
    return $ended
end

end
