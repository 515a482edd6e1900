# What every case can use. Fixed names, dates and contents, so that two systems can be compared.
export GIT_AUTHOR_NAME=author GIT_AUTHOR_EMAIL=author@localhost GIT_AUTHOR_DATE='1700000000 +0100'
export GIT_COMMITTER_NAME=committer GIT_COMMITTER_EMAIL=committer@localhost
export GIT_COMMITTER_DATE='1700000100 +0000' GIT_EDITOR=: GIT_PAGER=cat PYTHONHASHSEED=0 COLUMNS=80

words() {
    printf '%s\n' 'the quick brown fox jumps over the lazy dog' 'pack my box	with five dozen' \
        'liquor jugs and the rest' '' 'sphinx of black quartz' 'judge my vow' 'The End'
}

numbers() {
    printf '%s\n' 10 9 2.5 -3 1e3 007 0x1F 10 -3 2K 1.5M '' abc 99999999999999999999
}

tree() {
    mkdir -p dir/deep/er
    echo content of one >dir/one
    seq 100 >dir/two
    : >'dir/odd name'
    echo deep >dir/deep/leaf
    echo text >dir/deep/er/note.txt
    ln -s one dir/link
    ln dir/two dir/three
    chmod 600 dir/one
    find dir -depth -exec touch -h -d @1600000000 {} +
    touch -d @1600000002 dir/two
}

repository() {
    git init -q
    seq 20 >numbers
    git add numbers
    git commit -q -m first
    sed -i 's/^12$/twelve/' numbers
    echo file >file
    git add .
    git commit -q -m 'second, with seven lines'
    sed -i 's/^7$/seven/' numbers
    git commit -q -a -m third
}
