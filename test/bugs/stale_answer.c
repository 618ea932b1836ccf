/* SPDX-License-Identifier: MIT */
/*
 * stale_answer.c - the answer to a question that was given up is taken for the
 * answer to the next one.  Right: answers carry the number of their question.
 */
struct stale_answer {
	int question, value;
};

static void
stale_answer_serve(wf_chan(struct stale_answer) replies, int question)
{
	wf_sleep(WF_MS);
	wf_send(replies, ((struct stale_answer){ question, question * 10 }));
}

static int
stale_answer_ask(wf_chan(struct stale_answer) replies, int question, int fixed)
{
	struct stale_answer a;

	wf_spawn(stale_answer_serve, replies, question);
	do {
		if (wf_select(wf_on_recv(replies, &a),
		    wf_on_timeout(WF_MS)) != 0)
			return -1;
	} while (fixed && a.question != question);
	return a.value;
}

static int
stale_answer(int fixed)
{
	wf_chan(struct stale_answer) replies =
	    wf_chan_make(struct stale_answer, 2);

	if (stale_answer_ask(replies, 1, fixed) < 0) {
		int v = stale_answer_ask(replies, 2, fixed);

		wf_sim_check(v < 0 || v == 20);
	}
	wf_sleep(WF_SEC);
	wf_chan_free(replies);
	return 0;
}
